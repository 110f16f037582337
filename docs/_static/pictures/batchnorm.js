// Batch norm of one unit: z, z_norm, z̃ and σ(z̃) as histograms; a mini-batch's μ is noisy.
"use strict";
(function () {
  const { say, element, make, line, text, number } = kit;
  const [W, H] = [640, 300];
  const shown = (digits) => (x) => number(x, digits);
  const picture = make(
    "batchnorm", [W, H],
    { mu: 3, sigma: 2, gamma: 1, beta: 0, m: 64, seed: 1 },
    [
      { key: "mu", label: say("incoming μ", "输入的 μ"), low: -6, high: 6, step: 0.1, show: shown(1) },
      { key: "sigma", label: say("incoming σ", "输入的 σ"), low: 0.1, high: 5, step: 0.1, show: shown(1) },
      { key: "gamma", label: "γ", low: -5, high: 5, step: 0.1, show: shown(1) },
      { key: "beta", label: "β", low: -6, high: 6, step: 0.1, show: shown(1) },
      { key: "m", label: say("mini-batch size m", "mini-batch 大小 m"), low: 2, high: 1024, log: true, show: (x) => String(Math.round(x)) },
      { label: say("γ = σ, β = μ", "γ = σ，β = μ"), act: (s) => {
        const found = maths.batchNorm(batch(s), 1, 0);
        [s.gamma, s.beta] = [found.deviation, found.mu];
      } },
      { label: say("Another mini-batch", "换一个 mini-batch"), act: (s) => { s.seed += 1; } },
    ],
    draw
  );
  const { layer, numbers, drawing } = picture.parts;
  function batch(s) {
    const normal = maths.normal(Math.round(s.seed));
    return Array.from({ length: Math.round(s.m) }, () => s.mu + s.sigma * normal());
  }

  function panel(column, values, [low, high], title, ticks, kind) {
    const [left, width, bottom] = [8 + column * 160, 144, 230];
    const bins = maths.histogram(values, low, high, 24);
    const most = Math.max(...bins, 0.05);
    return [
      text(left, 24, title, { class: "label" }),
      ...bins.map((share, i) => element("rect", { class: `bar ${kind}`, x: left + (i * width) / 24, width: width / 24 - 0.8, y: bottom - (share / most) * 170, height: (share / most) * 170 })),
      element("path", { class: "axis", d: `M${left},${bottom}h${width}` }),
      ...ticks.map((tick) => text(left + ((tick - low) / (high - low)) * width, bottom + 18, number(tick, 0), { class: "tick", "text-anchor": "middle" })),
    ];
  }

  function draw(s) {
    const found = maths.batchNorm(batch(s), s.gamma, s.beta);
    const after = maths.batchNorm(found.tilde, 1, 0);
    const wide = [-12, 12];
    const sigmoid = Array.from({ length: 49 }, (_, i) => [328 + i * 3, 230 - 170 * maths.sigmoid(-12 + i / 2)]);
    layer.replaceChildren(
      ...panel(0, batch(s), wide, "z", [-10, 0, 10], "usual"),
      ...panel(1, found.norm, wide, "z_norm", [-10, 0, 10], "neutral"),
      ...panel(2, found.tilde, wide, "z̃", [-10, 0, 10], "good"),
      ...panel(3, found.tilde.map(maths.sigmoid), [0, 1.0001], "σ(z̃)", [0, 1], "neutral"),
      element("path", { class: "curve", d: line(sigmoid) }),
      text(8, H - 14, say("one unit, one mini-batch; the curve is the sigmoid", "一个单元、一个 mini-batch；曲线是 sigmoid"), { class: "tick" })
    );
    drawing.setAttribute("aria-label", say("histograms of z, z_norm, z̃ and its sigmoid", "z、z_norm、z̃ 与其 sigmoid 的直方图"));
    numbers.replaceChildren(
      element("span", { "data-number": "z" }, say(`this mini-batch: μ ${number(found.mu, 2)}, σ ${number(Math.sqrt(found.variance), 2)}`, `这个 mini-batch：μ ${number(found.mu, 2)}，σ ${number(Math.sqrt(found.variance), 2)}`)),
      element("span", { "data-number": "noise" }, say(`μ is off by ${number(found.mu - s.mu, 2)}; expect ± σ/√m = ${number(s.sigma / Math.sqrt(Math.round(s.m)), 2)}`, `μ 偏了 ${number(found.mu - s.mu, 2)}；通常在 ± σ/√m = ${number(s.sigma / Math.sqrt(Math.round(s.m)), 2)} 上下`)),
      element("span", { "data-number": "tilde" }, say(`z̃: mean ${number(after.mu, 2)}, deviation ${number(Math.sqrt(after.variance), 2)}`, `z̃：均值 ${number(after.mu, 2)}，标准差 ${number(Math.sqrt(after.variance), 2)}`))
    );
  }
  picture.load();
})();
