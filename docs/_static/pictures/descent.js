// Gradient descent on J(w) = a w² + b w + c.
"use strict";
(function () {
  const { say, element, make, line, text, number } = kit;
  const [W, H] = [640, 300];
  const fixed = (digits) => (value) => number(value, digits);
  const picture = make(
    "descent", [W, H],
    { a: 1, b: -10, c: 25, w: 0, alpha: 0.01, steps: 1000 },
    [
      { key: "alpha", label: say("learning rate α", "学习率 α"), low: 0.0001, high: 1.2, log: true, show: (x) => String(x) },
      { key: "steps", label: say("steps", "步数"), low: 1, high: 2000, log: true, show: (x) => String(Math.round(x)) },
      { key: "a", label: "a", low: 0.5, high: 3, step: 0.1, show: fixed(1) },
      { key: "b", label: "b", low: -20, high: 20, step: 0.5, show: fixed(1) },
      { key: "c", label: "c", low: -10, high: 100, step: 1, show: fixed(0) },
    ],
    draw
  );
  const { layer, above, handle, drawing, numbers } = picture.parts;
  const goal = (s) => -s.b / (2 * s.a);
  const J = (s, w) => s.a * w * w + s.b * w + s.c;
  // w from goal − 10 to goal + 10; J from its least value to that at the ends.
  const x = (s, w) => W / 2 + ((w - goal(s)) / 10) * (W / 2 - 20);
  const y = (s, w) => H - 40 - ((J(s, w) - J(s, goal(s))) / (100 * s.a)) * (H - 70);
  const start = handle(above, say("where w starts", "w 的起点"), [0, 0], (px) => {
    const s = picture.parts.state;
    const w = goal(s) + ((px - W / 2) / (W / 2 - 20)) * 10;
    s.w = Math.round(Math.min(Math.max(w, goal(s) - 10), goal(s) + 10) * 10) / 10;
  });

  function draw(s, parts) {
    const steps = Math.round(s.steps);
    s.w = Math.min(Math.max(s.w, goal(s) - 10), goal(s) + 10);
    const [single, double] = [true, false].map((f) => maths.descent(s.a, s.b, s.w, s.alpha, steps, f));
    const curve = Array.from({ length: 101 }, (_, i) => goal(s) - 10 + i / 5);
    const seen = single.slice(0, 300).filter((w) => Math.abs(w - goal(s)) <= 10);
    const dots = seen.map((w) => element("circle", { class: "dot", r: 3.2, cx: x(s, w), cy: y(s, w) }));
    const ticks = Array.from({ length: 9 }, (_, i) => Math.round(goal(s)) - 8 + 2 * i);
    layer.replaceChildren(
      element("path", { class: "axis", d: `M0,${H - 30}H${W}` }),
      ...ticks.map((w) => text(x(s, w), H - 10, number(w, 0), { class: "tick", "text-anchor": "middle" })),
      element("path", { class: "curve", d: line(curve.map((w) => [x(s, w), y(s, w)])) }),
      element("path", { class: "path", d: line((seen.length ? seen : [goal(s)]).map((w) => [x(s, w), y(s, w)])) }),
      ...dots
    );
    drawing.setAttribute("aria-label", say("J over w, and the steps", "J 随 w 的变化，以及每一步"));
    start.put(x(s, s.w), y(s, s.w), s.w, `w = ${number(s.w, 1)}`, goal(s) - 10, goal(s) + 10);
    const still = single.findIndex((w, i) => i > 0 && w === single[i - 1] && w !== double[i]);
    const far = (w) => (Math.abs(w) < 1e6 ? number(w, 5) : say("beyond all bounds", "发散到界外"));
    const kind =
      s.alpha * 2 * s.a > 2 ? say("diverges", "发散")
      : s.alpha * 2 * s.a === 2 ? say("jumps for ever", "来回跳，永不收敛")
      : s.alpha * 2 * s.a > 1 ? say("jumps across, and converges", "左右跳着收敛")
      : say("goes straight down", "单边收敛");
    numbers.replaceChildren(
      element("span", {}, say(`minimum ${number(goal(s), 5)}`, `最小值在 ${number(goal(s), 5)}`)),
      element("span", { "data-number": "float32" }, `float32: ${far(single[steps])}`),
      element("span", { "data-number": "float64" }, `float64: ${far(double[steps])}`),
      element("span", { "data-number": "kind" }, kind),
      ...(still > 0 && Math.abs(single[steps] - goal(s)) < 1
        ? [element("span", { "data-number": "still" }, say(`float32 stands still from step ${still - 1}`, `float32 从第 ${still - 1} 步起不再动`))]
        : [])
    );
  }
  picture.load();
})();
