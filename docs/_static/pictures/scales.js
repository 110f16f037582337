// Points drawn linearly or by powers of ten, for α and for 1 − β; share per decade.
"use strict";
(function () {
  const { say, element, make, text, percent } = kit;
  const [W, H] = [640, 250];
  const AXES = [
    { name: "α", low: 0.0001, high: 1, log: "log", first: -4, last: 0 },
    { name: "1 − β", low: 0.9, high: 0.999, log: "1-log", first: -3, last: -1 },
  ];
  const picture = make(
    "scales", [W, H],
    { what: 0, count: 100, seed: 1 },
    [
      { key: "what", label: say("hyperparameter", "超参数"), choices: [say("learning rate α", "学习率 α"), say("momentum β, by 1 − β", "动量 β，看 1 − β")] },
      { key: "count", label: say("points", "点数"), low: 10, high: 1000, log: true, show: (x) => String(Math.round(x)) },
      { label: say("Draw again", "再抽一次"), act: (s) => { s.seed += 1; } },
    ],
    draw
  );
  const { layer, numbers, drawing } = picture.parts;

  function draw(s) {
    const axis = AXES[s.what];
    const seed = Math.round(s.seed);
    const u = maths.uniform(seed);
    const units = Array.from({ length: Math.round(s.count) }, u);
    const X = (value) => 140 + ((Math.log10(value) - axis.first) / (axis.last - axis.first)) * (W - 165);
    const rows = [["linear", say("linear", "线性")], [axis.log, say("powers of ten", "按 10 的幂")]];
    const decades = Array.from({ length: axis.last - axis.first + 1 }, (_, i) => axis.first + i);
    const children = [];
    const said = [];
    rows.forEach(([scale, name], row) => {
      const values = units.map((one) => maths.scales[scale](one, axis.low, axis.high));
      const seen = values.map((value) => (s.what ? 1 - value : value));
      const shares = maths.decades(seen, axis.first, axis.last);
      const top = 20 + row * 100;
      children.push(
        text(2, top + 34, name, { class: "label" }),
        ...decades.slice(0, -1).map((k, i) =>
          element("rect", { class: "share", x: X(10 ** k) + 3, width: X(10 ** (k + 1)) - X(10 ** k) - 6, y: top, height: 70, style: `fill-opacity:${(0.08 + 0.5 * shares[i]).toFixed(3)}` })),
        element("path", { class: row ? "ticks good" : "ticks usual", d: seen.map((value) => `M${X(value).toFixed(2)},${top + 38}v28`).join("") }),
        ...decades.slice(0, -1).map((k, i) =>
          text((X(10 ** k) + X(10 ** (k + 1))) / 2, top + 24, percent(shares[i]), { class: "value", "text-anchor": "middle" }))
      );
      said.push(element("span", { "data-number": scale === "linear" ? "linear" : "log" }, `${name}: ${shares.map(percent).join(" · ")}`));
    });
    layer.replaceChildren(
      ...children,
      ...decades.map((k) => text(X(10 ** k), H - 30, String(Number((10 ** k).toPrecision(1))), { class: "tick", "text-anchor": "middle" })),
      text(W - 14, H - 8, axis.name, { class: "tick", "text-anchor": "end" })
    );
    drawing.setAttribute("aria-label", say("where the points fall, by decade", "点落在哪个数量级"));
    numbers.replaceChildren(...said);
  }
  picture.load();
})();
