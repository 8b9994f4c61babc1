// Elements, and numbers as text. Names of users and topics come from strangers: they are only ever put in as text.

/** `$.filter_user` is the element with the id "filter-user". */
export const $ = new Proxy({}, { get: (_, name) => document.getElementById(name.replaceAll("_", "-")) });

/** An element with classes and text. */
export function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

/** What is the same is left alone: it need not be laid out again. */
export function set_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** 0.4, 42, 1.2 k, 3.4 M. */
export function number(value) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (value >= size) return `${digits(value / size)}\u00a0${unit}`;
  return digits(value);
}
const digits = (value) => (value >= 99.95 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));
export const per_second = (value) => `${number(value)}/s`;

/** Exactly, as long as it is short: 12,345. */
export const count = (value) => (value < 1e6 ? grouped.format(value) : number(value));
const grouped = new Intl.NumberFormat("en");

export function bytes(value) {
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (value >= size) return `${digits(value / size)}\u00a0${unit}`;
  return `${Math.round(value)}\u00a0B`;
}

export function milliseconds(value) {
  if (value >= 60_000) return `${Math.floor(value / 60_000)}\u00a0min ${Math.floor((value % 60_000) / 1000)}\u00a0s`;
  if (value >= 1000) return `${digits(value / 1000)}\u00a0s`;
  return value && value < 0.1 ? "< 0.1\u00a0ms" : `${digits(value)}\u00a0ms`;
}

/** Of a part between 0 and 1. */
export function percent(part) {
  if (part && part < 0.001) return "< 0.1\u00a0%";
  return `${part && part < 0.1 ? (part * 100).toFixed(1) : Math.round(part * 100)}\u00a0%`;
}
