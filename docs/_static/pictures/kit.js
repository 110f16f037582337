// What every picture has: controls with labels in the page's language, a drawing, numbers, and its
// state in the address after #, so that a link opens what somebody set.
"use strict";
window.kit = (function () {
  const zh = document.documentElement.lang.startsWith("zh");
  const say = (en, cn) => (zh ? cn : en);
  const SVG = "http://www.w3.org/2000/svg";

  function element(name, attributes = {}, ...children) {
    const svg = "svg g path line circle rect text polyline title".split(" ").includes(name);
    const made = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  // The state in the address: #name:key=value,key=value
  function read(name) {
    const found = {};
    const [where, pairs] = decodeURIComponent(location.hash.slice(1)).split(":");
    if (where !== name || !pairs) return found;
    for (const pair of pairs.split(",")) {
      const [key, value] = pair.split("=");
      if (value !== undefined && value !== "" && Number.isFinite(Number(value))) found[key] = Number(value);
    }
    return found;
  }

  // make(name, defaults, controls, draw): `controls` are {key, label, low, high, step, log, show},
  // {key, label, choices} or {label, act}; `draw(state, parts)` is called after every change.
  function make(name, size, defaults, controls, draw) {
    const figure = document.querySelector(`[data-picture="${name}"]`);
    const state = { ...defaults };
    const [width, height] = size;
    const drawing = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "group" });
    const numbers = element("p", { class: "numbers", "aria-live": "polite" });
    const panel = element("div", { class: "controls" });
    const showing = [];

    function clamp(control, value) {
      return Math.min(Math.max(value, control.low), control.high);
    }
    for (const control of controls) {
      if (control.act) {
        panel.append(element("button", { type: "button", onclick: () => { control.act(state); update(); } }, control.label));
      } else if (control.choices) {
        const options = control.choices.map((text, i) => element("option", { value: i }, text));
        const select = element("select", { onchange: () => { state[control.key] = Number(select.value); update(); } }, ...options);
        panel.append(element("label", {}, `${control.label} `, select));
        showing.push(() => (select.value = state[control.key]));
      } else {
        const position = control.log ? Math.log10 : (x) => x;
        const value = control.log ? (x) => Number((10 ** x).toPrecision(3)) : (x) => x;
        const range = element("input", {
          type: "range", id: `${name}-${control.key}`, min: position(control.low), max: position(control.high),
          step: control.log ? 0.01 : control.step, name: control.key,
          oninput: () => { state[control.key] = clamp(control, value(Number(range.value))); update(); },
        });
        const output = element("output", {});
        panel.append(element("div", {}, element("label", { for: range.id }, element("span", {}, `${control.label} `, output)), range));
        showing.push(() => {
          range.value = position(state[control.key]);
          const text = (control.show || String)(state[control.key]);
          output.textContent = text;
          range.setAttribute("aria-valuetext", text);
        });
      }
    }
    panel.append(element("button", { type: "button", class: "reset", onclick: () => { Object.assign(state, defaults); update(); } }, say("Start again", "重置")));

    let writing = 0;
    function update(keep) {
      showing.forEach((show) => show());
      draw(state, parts);
      if (keep) return;
      clearTimeout(writing);
      writing = setTimeout(() => {
        const changed = Object.entries(state).filter(([key, value]) => value !== defaults[key]);
        const text = changed.map(([key, value]) => `${key}=${Number(value.toPrecision(6))}`).join(",");
        history.replaceState(null, "", text ? `#${name}:${text}` : location.pathname + location.search);
      }, 150);
    }
    function load() {
      const given = read(name);
      Object.assign(state, defaults);
      for (const [key, value] of Object.entries(given)) {
        if (!(key in defaults)) continue;
        const control = controls.find((one) => one.key === key);
        if (control && control.choices) state[key] = Math.min(Math.max(Math.round(value), 0), control.choices.length - 1);
        else state[key] = control ? clamp(control, value) : value;
      }
      update(true);
      if (Object.keys(given).length) figure.scrollIntoView({ block: "center" });
    }

    // A handle that pointer, touch and arrow keys move. at: its place in the drawing's units;
    // move(x, y): told where it is wanted, in the same units. step: of an arrow key.
    function handle(group, label, at, move, step = 8) {
      const dot = element("circle", { class: "handle", r: 11, cx: at[0], cy: at[1], tabindex: 0, role: "slider", "aria-label": label });
      group.append(dot);
      const place = (event) => {
        const box = drawing.getBoundingClientRect();
        return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
      };
      dot.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        dot.focus();
        dot.setPointerCapture(event.pointerId);
      });
      dot.addEventListener("pointermove", (event) => {
        if (dot.hasPointerCapture(event.pointerId)) { move(...place(event)); update(); }
      });
      dot.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!by) return;
        event.preventDefault();
        const far = event.shiftKey ? 5 : 1;
        move(Number(dot.getAttribute("cx")) + by[0] * step * far, Number(dot.getAttribute("cy")) + by[1] * step * far);
        update();
      });
      return {
        put(x, y, now, text, low = 0, high = 1) {
          dot.setAttribute("cx", x);
          dot.setAttribute("cy", y);
          for (const [key, value] of [["valuenow", now], ["valuetext", text], ["valuemin", low], ["valuemax", high]])
            dot.setAttribute(`aria-${key}`, value);
        },
      };
    }

    const parts = { figure, drawing, numbers, handle, state, update };
    const stage = element("div", { class: "stage" }, drawing, panel, numbers);
    figure.prepend(stage);
    window.addEventListener("hashchange", load);
    // Layers that draw() may empty and fill; the handles lie above and stay, with the focus on them.
    parts.layer = drawing.appendChild(element("g"));
    parts.above = drawing.appendChild(element("g"));
    return { parts, load };
  }

  const line = (points) => "M" + points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L");
  const text = (x, y, words, attributes = {}) => element("text", { x, y, ...attributes }, words);
  // A number as people write it: digits after the point, a true minus.
  const number = (value, digits) =>
    Number.isFinite(value) ? value.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1") : "∞";
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 1 : 0)}%`;
  return { say, element, make, line, text, number, percent };
})();
