// Grid or random: two hyperparameters, of which the second matters more or less.
"use strict";
(function () {
  const { say, element, make, text, number } = kit;
  const [W, H, SIDE, GAP] = [640, 360, 290, 40];
  const picture = make(
    "search", [W, H],
    { points: 5, matters: 0, px: 0.38, py: 0.6, seed: 1 },
    [
      { key: "matters", label: say("how much the second hyperparameter matters", "第二个超参数有多重要"), low: 0, high: 1, step: 0.05, show: (x) => `${Math.round(100 * x)}%` },
      { key: "points", label: say("points on an axis", "每个轴上的点数"), low: 2, high: 7, step: 1 },
      { label: say("Draw again", "再抽一次"), act: (s) => { s.seed += 1; } },
    ],
    draw
  );
  const { layer, above, handle, numbers, drawing, state } = picture.parts;
  const X = (column, x) => 5 + column * (SIDE + GAP) + x * SIDE;
  const Y = (y) => 30 + (1 - y) * SIDE;
  const peak = handle(above, say("where the best setting lies", "最优点的位置"), [0, 0], (x, y) => {
    state.px = Math.round(Math.min(Math.max((x - 5) / SIDE, 0), 1) * 100) / 100;
    state.py = Math.round(Math.min(Math.max(1 - (y - 30) / SIDE, 0), 1) * 100) / 100;
  });
  let asked = "";
  let wins = 0;

  function draw(s) {
    const [n, seed, at] = [Math.round(s.points), Math.round(s.seed), [s.px, s.py]];
    const ways = [
      [say("grid", "网格"), maths.gridPoints(n), "usual"],
      [say("random", "随机"), maths.randomPoints(n * n, seed), "good"],
    ];
    const key = [n, s.matters, seed].join();
    if (key !== asked) [asked, wins] = [key, maths.wins(n, s.matters, 100, seed)];
    const CELLS = 29;
    const children = [];
    const found = ways.map(([name, points, kind], column) => {
      for (let i = 0; i < CELLS; i++)
        for (let j = 0; j < (s.matters ? CELLS : 1); j++) {
          const quality = maths.quality((i + 0.5) / CELLS, (j + 0.5) / CELLS, at, s.matters);
          if (quality > 0.02)
            children.push(element("rect", {
              class: "heat", x: X(column, i / CELLS), width: SIDE / CELLS + 0.4, style: `fill-opacity:${(0.55 * quality).toFixed(3)}`,
              y: s.matters ? Y((j + 1) / CELLS) : Y(1), height: s.matters ? SIDE / CELLS + 0.4 : SIDE }));
        }
      const values = new Set(points.map(([x]) => x));
      const best = maths.best(points, at, s.matters);
      children.push(
        element("rect", { class: "frame", x: X(column, 0), y: Y(1), width: SIDE, height: SIDE }),
        text(X(column, 0), 20, say(`${name}: ${values.size} values of α`, `${name}：${values.size} 个不同的 α`), { class: "label" }),
        ...points.map(([x, y]) => element("circle", {
          class: `dot ${kind}${maths.quality(x, y, at, s.matters) === best ? " best" : ""}`, r: maths.quality(x, y, at, s.matters) === best ? 7 : 4, cx: X(column, x), cy: Y(y) })),
        element("path", { class: `ticks ${kind}`, d: [...values].map((x) => `M${X(column, x).toFixed(1)},${Y(0) + 6}v16`).join("") })
      );
      return best;
    });
    layer.replaceChildren(...children);
    drawing.setAttribute("aria-label", say("α across, the second hyperparameter up; points tried", "横轴 α，纵轴第二个超参数；试过的点"));
    peak.put(X(0, s.px), Y(s.py), s.px, say(`best at ${number(s.px, 2)}, ${number(s.py, 2)}`, `最优点 ${number(s.px, 2)}, ${number(s.py, 2)}`));
    numbers.replaceChildren(
      element("span", { "data-number": "grid" }, say(`grid finds ${number(found[0], 2)} of 1`, `网格找到 ${number(found[0], 2)}（满分 1）`)),
      element("span", { "data-number": "random" }, say(`random ${number(found[1], 2)}`, `随机找到 ${number(found[1], 2)}`)),
      element("span", { "data-number": "wins" }, say(`random wins ${wins} of 100 replays, the peak elsewhere in each`, `最优点换 100 个地方重来，随机赢 ${wins} 次`))
    );
  }
  picture.load();
})();
