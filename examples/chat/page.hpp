#pragma once

#include <string_view>

/// The whole client. What others write is put in as text, never as HTML.
inline constexpr std::string_view chat_page = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hubbub chat</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; max-width: 40rem; height: 100dvh; display: flex; flex-direction: column; padding: 1rem; box-sizing: border-box; }
  h1 { font-size: 1.2rem; margin: 0; }
  #state { opacity: .75; }
  #lines { flex: 1; overflow-y: auto; list-style: none; margin: 1rem 0; padding: 0; overflow-wrap: anywhere; }
  form { display: flex; gap: .5rem; }
  input, button { font: inherit; padding: .6rem; }
  input { flex: 1; min-width: 0; }
</style>
<h1>hubbub chat</h1>
<div id="state" role="status">connecting</div>
<ul id="lines" aria-live="polite" aria-label="messages"></ul>
<form><input id="text" aria-label="message" placeholder="say something" maxlength="1000" autocomplete="off"><button>Send</button></form>
<script>
  const lines = document.getElementById("lines"), state = document.getElementById("state"), text = document.getElementById("text");
  let socket, delay = 500;
  function connect() {
    socket = new WebSocket(location.href.replace(/^http/, "ws"));
    socket.onopen = () => { state.textContent = "connected"; delay = 500; };
    socket.onmessage = event => {
      const line = document.createElement("li");
      line.textContent = event.data;
      lines.append(line);
      while (lines.childElementCount > 500) lines.firstChild.remove();
      line.scrollIntoView();
    };
    socket.onclose = event => {
      state.textContent = "connection lost (" + event.code + "), trying again";
      setTimeout(connect, delay * (0.5 + Math.random()));
      delay = Math.min(delay * 2, 30000);
    };
  }
  document.querySelector("form").onsubmit = event => {
    event.preventDefault();
    if (text.value && socket.readyState === WebSocket.OPEN) { socket.send(text.value); text.value = ""; }
  };
  connect();
</script>
</html>
)html";
