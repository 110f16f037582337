// The mathematics of the pictures. tests/site compares each function with the package's NumPy.
"use strict";
(function (maths) {
  // A generator of uniform numbers in [0, 1) that a seed determines (mulberry32).
  maths.uniform = function (seed) {
    let state = seed >>> 0;
    return function () {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  };
  // Normal numbers, mean 0 and variance 1 (Box and Muller).
  maths.normal = function (seed) {
    const u = maths.uniform(seed);
    return () => Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());
  };
  maths.mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;

  // Gradient descent on J(w) = a w² + b w + c: w before each step and after the last.
  maths.descent = function (a, b, w, alpha, steps, float32) {
    const r = float32 ? Math.fround : (x) => x;
    const [A, B, rate] = [r(a), r(b), r(alpha)];
    const path = [r(w)];
    for (let step = 0; step < steps; step++) {
      const slope = r(r(r(2 * A) * path[step]) + B);
      path.push(r(path[step] - r(rate * slope)));
    }
    return path;
  };

  // J(w) = ½ (w − goal)ᵀ H (w − goal), the cost of linear regression on two inputs that spread by
  // s₁ and s₂ and correlate by ρ: H = [[s₁², ρ s₁ s₂], [ρ s₁ s₂, s₂²]].
  maths.bowl = (s1, s2, rho) => [[s1 * s1, rho * s1 * s2], [rho * s1 * s2, s2 * s2]];
  maths.eigenvalues = function ([[a, b], [, d]]) {
    const half = Math.hypot((a - d) / 2, b);
    const high = (a + d) / 2 + half;
    return [(a * d - b * b) / high, high]; // by the determinant: nothing cancels
  };
  maths.bowlDescent = function (H, start, goal, alpha, steps) {
    const path = [start];
    for (let step = 0; step < steps; step++) {
      const [x, y] = [path[step][0] - goal[0], path[step][1] - goal[1]];
      path.push([
        path[step][0] - alpha * (H[0][0] * x + H[0][1] * y),
        path[step][1] - alpha * (H[1][0] * x + H[1][1] * y),
      ]);
    }
    return path;
  };
  maths.bowlCost = function (H, w, goal) {
    const [x, y] = [w[0] - goal[0], w[1] - goal[1]];
    return (H[0][0] * x * x + 2 * H[0][1] * x * y + H[1][1] * y * y) / 2;
  };

  // Scales: the value at position u of [low, high], as tfcourse.Linear, Log and OneMinusLog.
  maths.scales = {
    linear: (u, low, high) => low + u * (high - low),
    log: (u, low, high) => 10 ** (Math.log10(low) + u * (Math.log10(high) - Math.log10(low))),
    "1-log": (u, low, high) =>
      1 - 10 ** (Math.log10(1 - low) + u * (Math.log10(1 - high) - Math.log10(1 - low))),
  };
  // Share of positive values in each decade [10^k, 10^(k+1)), k = first … last − 1.
  maths.decades = function (values, first, last) {
    const counts = new Array(last - first).fill(0);
    for (const value of values) {
      const k = Math.floor(Math.log10(value) + 1e-9) - first;
      counts[Math.min(Math.max(k, 0), counts.length - 1)] += 1 / values.length;
    }
    return counts;
  };

  // How good a setting is: a ridge around `peak` in the first hyperparameter, as wide in the second
  // as `matters` in [0, 1] leaves it; 1 at the peak.
  maths.quality = function (x, y, peak, matters) {
    const dx = (x - peak[0]) / 0.12;
    const dy = (matters * (y - peak[1])) / 0.12;
    return Math.exp(-(dx * dx + dy * dy) / 2);
  };
  maths.gridPoints = function (n) {
    const points = [];
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) points.push([(i + 0.5) / n, (j + 0.5) / n]);
    return points;
  };
  maths.randomPoints = function (count, seed) {
    const u = maths.uniform(seed);
    return Array.from({ length: count }, () => [u(), u()]);
  };
  maths.best = (points, peak, matters) =>
    Math.max(...points.map(([x, y]) => maths.quality(x, y, peak, matters)));
  // In how many of `replays` a random search finds a better point than the grid: the peak lies
  // somewhere else in each.
  maths.wins = function (n, matters, replays, seed) {
    const where = maths.uniform(seed);
    let wins = 0;
    for (let replay = 0; replay < replays; replay++) {
      const peak = [where(), where()];
      const random = maths.randomPoints(n * n, seed + 1 + replay);
      if (maths.best(random, peak, matters) > maths.best(maths.gridPoints(n), peak, matters)) wins++;
    }
    return wins;
  };

  // Softmax of z/T, the loss of the true class, and its gradient with respect to z/T: ŷ − y.
  maths.softmax = function (z, temperature = 1) {
    const largest = Math.max(...z);
    const t = z.map((value) => Math.exp((value - largest) / temperature));
    const sum = t.reduce((a, b) => a + b, 0);
    return t.map((value) => value / sum);
  };
  maths.crossEntropy = function (z, label, temperature = 1) {
    const largest = Math.max(...z);
    const sum = z.reduce((total, value) => total + Math.exp((value - largest) / temperature), 0);
    return Math.log(sum) - (z[label] - largest) / temperature;
  };
  maths.gradient = (z, label, temperature = 1) =>
    maths.softmax(z, temperature).map((a, i) => a - (i === label ? 1 : 0));

  // Batch norm of one unit's z over a mini-batch, as tfcourse.batch_norm.forward.
  maths.batchNorm = function (z, gamma, beta, epsilon = 1e-3) {
    const mu = maths.mean(z);
    const variance = maths.mean(z.map((value) => (value - mu) ** 2));
    const deviation = Math.sqrt(variance + epsilon);
    const norm = z.map((value) => (value - mu) / deviation);
    return { mu, variance, deviation, norm, tilde: norm.map((value) => gamma * value + beta) };
  };
  maths.sigmoid = (z) => 1 / (1 + Math.exp(-z));
  // Shares of values in `count` equal bins of [low, high]; what lies outside is in no bin.
  maths.histogram = function (values, low, high, count) {
    const bins = new Array(count).fill(0);
    for (const value of values) {
      const k = Math.floor(((value - low) / (high - low)) * count);
      if (k >= 0 && k < count) bins[k] += 1 / values.length;
    }
    return bins;
  };
})(typeof module === "object" ? module.exports : (window.maths = {}));
