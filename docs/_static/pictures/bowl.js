// Two inputs, as they are or normalized: the cost's bowl and the path of gradient descent in it.
"use strict";
(function () {
  const { say, element, make, line, text, number } = kit;
  const [W, H] = [640, 400];
  const GOAL = [1.5, -1]; // the best weights of the normalized inputs
  const picture = make(
    "bowl", [W, H],
    { spread: 4, rho: 0, rate: 0.75, steps: 20, normalized: 0, u: -3, v: 2.4 },
    [
      { key: "spread", label: say("spread of input 1 over input 2", "两个输入的尺度之比"), low: 1, high: 20, log: true, show: (x) => number(x, 1) },
      { key: "rho", label: say("correlation", "相关系数"), low: -0.95, high: 0.95, step: 0.05, show: (x) => number(x, 2) },
      { key: "rate", label: say("learning rate, as a share of the largest that converges", "学习率（占不发散的上限的比例）"), low: 0.02, high: 1.05, step: 0.01, show: (x) => number(x, 2) },
      { key: "steps", label: say("steps", "步数"), low: 1, high: 200, log: true, show: (x) => String(Math.round(x)) },
      { label: say("Normalize / undo", "归一化／还原"), act: (s) => { s.normalized = 1 - Math.round(s.normalized); } },
    ],
    draw
  );
  const { layer, above, handle, numbers, drawing } = picture.parts;
  const scale = 48; // of a weight; w₁ is drawn in units of its own goal, so that both bowls fit
  const X = (u) => W / 2 + u * scale;
  const Y = (v) => H / 2 - v * scale;
  const start = handle(above, say("where the weights start", "权重的起点"), [0, 0], (px, py) => {
    const s = picture.parts.state;
    s.u = Math.round(Math.min(Math.max((px - W / 2) / scale, -6), 6) * 10) / 10;
    s.v = Math.round(Math.min(Math.max((H / 2 - py) / scale, -3.8), 3.8) * 10) / 10;
  });

  function draw(s) {
    const H2 = s.normalized ? maths.bowl(1, 1, s.rho) : maths.bowl(s.spread, 1, s.rho);
    const [low, high] = maths.eigenvalues(H2);
    const alpha = (s.rate * 2) / high;
    const most = 20000;
    const all = maths.bowlDescent(H2, [s.u, s.v], GOAL, alpha, most);
    const path = all.slice(0, Math.round(s.steps) + 1);
    const first = maths.bowlCost(H2, path[0], GOAL);
    const needed = all.findIndex((w) => maths.bowlCost(H2, w, GOAL) <= first / 1e4);
    // Contours: the ellipse of each cost, by the square root of H's inverse (Cholesky).
    const l11 = Math.sqrt(H2[0][0]);
    const l21 = H2[0][1] / l11;
    const l22 = Math.sqrt(H2[1][1] - l21 * l21);
    const rings = [0.02, 0.1, 0.25, 0.5, 1, 2].map((share) => {
      const r = Math.sqrt(2 * share * Math.max(first, 0.05));
      const ring = Array.from({ length: 97 }, (_, i) => {
        const [p, q] = [r * Math.cos((i * Math.PI) / 48), r * Math.sin((i * Math.PI) / 48)];
        const dv = q / l22;
        const du = (p - l21 * dv) / l11;
        return [X(GOAL[0] + du), Y(GOAL[1] + dv)];
      });
      return element("path", { class: "ring", d: line(ring) + "Z" });
    });
    const shown = path.filter(([u, v]) => Math.abs(u) < 1e4 && Math.abs(v) < 1e4).map(([u, v]) => [X(u), Y(v)]);
    layer.replaceChildren(
      ...rings,
      element("path", { class: "path", d: line(shown) }),
      ...shown.map(([cx, cy]) => element("circle", { class: "dot", r: 3.2, cx, cy })),
      element("path", { class: "goal", d: `M${X(GOAL[0]) - 7},${Y(GOAL[1])}h14m-7,-7v14` }),
      text(W - 14, H - 12, "w₁", { class: "tick", "text-anchor": "end" }),
      text(14, 22, "w₂", { class: "tick" })
    );
    drawing.setAttribute("aria-label", say("contours of the cost over both weights, and the steps", "代价的等高线，以及每一步"));
    start.put(X(s.u), Y(s.v), s.u, `w = (${number(s.u, 1)}, ${number(s.v, 1)})`, -6, 6);
    numbers.replaceChildren(
      element("span", { "data-number": "state" }, s.normalized ? say("normalized", "已归一化") : say("as they are", "原样")),
      element("span", { "data-number": "condition" }, say(`condition number ${number(high / low, 1)}`, `条件数 ${number(high / low, 1)}`)),
      element("span", { "data-number": "needed" }, needed < 0
        ? say("never gets to 0.01% of the cost", "代价到不了起点的 0.01%")
        : say(`0.01% of the cost after ${needed} steps`, `${needed} 步后代价降到起点的 0.01%`)),
      element("span", { "data-number": "left" }, say("cost left ", "剩余代价 ") + (maths.bowlCost(H2, path[path.length - 1], GOAL) / first < 1e3
        ? `${(100 * maths.bowlCost(H2, path[path.length - 1], GOAL) / first).toPrecision(2)}%` : "∞"))
    );
  }
  picture.load();
})();
