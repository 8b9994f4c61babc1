// The elements of the page by their ids, and what a browser keeps for it.

export const $ = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id.replaceAll("-", "_"), each]));

export function remembered(storage, key) {
  try {
    return JSON.parse(storage.getItem(`hubbub-chat-${key}`));
  } catch {
    return null;
  }
}
export function remember(storage, key, value) {
  try {
    storage.setItem(`hubbub-chat-${key}`, JSON.stringify(value));
  } catch {
    // A browser may refuse to keep anything; the chat works without.
  }
}
