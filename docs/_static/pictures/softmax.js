// Softmax, loss and gradient: drag z, click the true class, change the temperature.
"use strict";
(function () {
  const { say, element, make, text, number } = kit;
  const [W, H, ROW] = [640, 270, 56];
  const picture = make(
    "softmax", [W, H],
    { z0: 5, z1: 2, z2: -1, z3: 3, label: 0, temperature: 1 },
    [
      { key: "label", label: say("true class", "真实类别"), choices: [1, 2, 3, 4].map((i) => say(`class ${i}`, `第 ${i} 类`)) },
      { key: "temperature", label: say("temperature", "温度"), low: 0.1, high: 10, log: true, show: (x) => number(x, 2) },
      ...[0, 1, 2, 3].map((i) => ({ key: `z${i}`, label: `z${"₁₂₃₄"[i]}`, low: -6, high: 6, step: 0.1, show: (x) => number(x, 1) })),
    ],
    draw
  );
  const { layer, above, handle, numbers, drawing, state, update } = picture.parts;
  const top = (i) => 44 + i * ROW;
  const Z = (z) => 130 + z * 14;
  const handles = [0, 1, 2, 3].map((i) =>
    handle(above, `z${"₁₂₃₄"[i]}`, [0, 0], (x) => {
      state[`z${i}`] = Math.round(Math.min(Math.max((x - 130) / 14, -6), 6) * 10) / 10;
    }, 1.4));

  function draw(s) {
    const z = [s.z0, s.z1, s.z2, s.z3];
    const a = maths.softmax(z, s.temperature);
    const loss = maths.crossEntropy(z, s.label, s.temperature);
    const gradient = maths.gradient(z, s.label, s.temperature);
    const heads = [["z", 130], ["a = softmax(z/T)", 250], ["ŷ − y", 470]];
    const rows = z.flatMap((value, i) => [
      element("rect", {
        class: `row${i === s.label ? " true" : ""}`, x: 0, y: top(i) - 18, width: W, height: ROW - 8, rx: 6,
        onclick: () => { state.label = i; update(); } }),
      text(8, top(i) + 12, i === s.label ? "✓" : String(i + 1), { class: "label" }),
      element("path", { class: "axis", d: `M${Z(0)},${top(i) - 12}v36` }),
      element("rect", { class: "bar neutral", x: Math.min(Z(0), Z(value)), width: Math.abs(Z(value) - Z(0)), y: top(i) - 6, height: 24 }),
      element("rect", { class: "bar good", x: 250, width: Math.max(a[i] * 150, 0.5), y: top(i) - 6, height: 24 }),
      text(256 + a[i] * 150, top(i) + 12, number(a[i], 3), { class: "value" }),
      element("path", { class: "axis", d: `M500,${top(i) - 12}v36` }),
      element("rect", { class: `bar ${gradient[i] < 0 ? "bad" : "usual"}`, x: Math.min(500, 500 + gradient[i] * 50), width: Math.abs(gradient[i] * 50), y: top(i) - 6, height: 24 }),
      text(566, top(i) + 12, number(gradient[i], 3), { class: "value" }),
    ]);
    layer.replaceChildren(...heads.map(([words, x]) => text(x, 16, words, { class: "label", "text-anchor": x === 130 ? "middle" : "start" })), ...rows);
    drawing.setAttribute("aria-label", say("a row for each class: z, its probability, the gradient", "每类一行：z、概率、梯度"));
    handles.forEach((one, i) => one.put(Z(z[i]), top(i) + 6, z[i], number(z[i], 1), -6, 6));
    numbers.replaceChildren(
      element("span", { "data-number": "a" }, `a = (${a.map((p) => number(p, 3)).join(", ")})`),
      element("span", { "data-number": "loss" }, `L = −log a${"₁₂₃₄"[s.label]} = ${number(loss, 3)}`),
      element("span", { "data-number": "gradient" }, `ŷ − y = (${gradient.map((g) => number(g, 3)).join(", ")})`)
    );
  }
  picture.load();
})();
