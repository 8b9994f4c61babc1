// A line of the last five minutes, as SVG.

const minutes_shown = 5;
const width = 60 * minutes_shown; // one point a second
const height = 60;

const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

/** The next 1, 2 or 5 of a power of ten: a scale that does not change with every point. */
function scale_for(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= most * 0.999) ?? most;
}

export class Plot {
  #area = svg("path", { class: "area" });
  #line = svg("path", { class: "line", "vector-effect": "non-scaling-stroke" });

  /** `least` is the smallest scale. */
  constructor(label, least) {
    this.label = label;
    this.least = least;
    this.element = svg("svg", { class: "plot", role: "img", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
    for (let x = 60; x < width; x += 60)
      this.element.append(svg("path", { class: "grid", d: `M${x} 0V${height}`, "vector-effect": "non-scaling-stroke" }));
    this.element.append(this.#area, this.#line);
  }

  /** Draws the newest of these; returns what its upper edge stands for. */
  show(values, text_of) {
    const shown = values.slice(-width);
    const most = Math.max(0, ...shown);
    const scale = scale_for(Math.max(most, this.least));
    const first = width - shown.length;
    const line = shown.map((value, at) => `${first + at} ${(height * (1 - Math.min(1, value / scale))).toFixed(1)}`).join("L");
    this.#line.setAttribute("d", shown.length ? `M${line}` : "");
    this.#area.setAttribute("d", shown.length ? `M${first} ${height}L${line}V${height}Z` : "");
    this.element.setAttribute("aria-label", `${this.label}, the last minutes: ${text_of(shown.at(-1) ?? 0)} now, ${text_of(most)} at most`);
    return scale;
  }
}
