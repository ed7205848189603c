// What the stand-in's page lacks: it tells the proxy whom it acts as, shows what a form starts with, asks the bot for
// the options of a list as one types, tells of a choice that the form wants to hear of, and has the app's shortcuts.
(() => {
  const Plain = window.WebSocket;
  const PAUSE = 150; // milliseconds without a key until a list is asked for
  let page = null;
  let form = null; // the form in front, as it was drawn
  let silent = false; // while this script itself fills in a field
  let said = {}; // messages by channel
  let shortcuts = []; // of the app: each with its kind, `global` or `message`

  const send = (frame) => page && page.readyState === Plain.OPEN && page.send(JSON.stringify(frame));
  const actor = () => document.querySelector("label.actas select")?.value;
  const tell = () => actor() && send({ t: "acting_as", user: actor() });

  const blocks = () => (form ? form.blocks.filter((block) => block.type === "input") : []);
  const boxes = () => [...document.querySelectorAll(".modal .bk-input")];
  const boxOf = (block) => boxes()[blocks().indexOf(block)];
  const blockAt = (element) => blocks()[boxes().indexOf(element.closest(".modal .bk-input"))];

  // React only notices a value that is set behind its back, followed by an event.
  const fill = (element, value) => {
    silent = true;
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), "value").set.call(element, value);
    element.dispatchEvent(new Event(element.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
    silent = false;
  };

  const showInitial = (block, box) => {
    const { initial_option: chosen, initial_options: ticked = [] } = block.element;
    const menu = box.querySelector("select");
    if (menu && chosen) fill(menu, chosen.value);
    silent = true;
    const named = [...ticked, ...(chosen ? [chosen] : [])].map((option) => option.text.text);
    box.querySelectorAll("label").forEach((label) => {
      if (named.includes(label.textContent.trim())) label.querySelector("input")?.click();
    });
    silent = false;
  };

  const opened = (view, tries = 40) => {
    if (form !== view) return;
    if (boxes().length === blocks().length) blocks().forEach((block) => showInitial(block, boxOf(block)));
    else if (tries) setTimeout(opened, 25, view, tries - 1);
  };

  const viewed = (stack) => {
    const view = stack.at(-1) ?? null;
    const isNew = view && view.id !== form?.id;
    form = view;
    if (isNew) setTimeout(opened, 0, view);
  };

  const withdraw = () => document.querySelectorAll(".offered").forEach((list) => list.remove());

  const offer = ({ block_id, value, options }) => {
    const block = blocks().find((one) => one.block_id === block_id);
    const field = block && boxOf(block)?.querySelector("input");
    if (!field || field !== document.activeElement || field.value !== value) return;
    withdraw();
    const list = document.createElement("div");
    list.className = "offered";
    list.setAttribute("role", "listbox");
    for (const { text } of options) {
      const option = document.createElement("div");
      option.setAttribute("role", "option");
      option.textContent = text.text;
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        fill(field, text.text);
        withdraw();
      });
      list.append(option);
    }
    field.after(list);
  };

  let waiting = 0;
  const type = ({ target }) => {
    if (silent || !target.matches?.(".modal .bk-input input.bk-plain-input")) return;
    const block = blockAt(target);
    clearTimeout(waiting);
    if (!block?.element.asks) return;
    const ask = () => send({ t: "typing", user: actor(), block_id: block.block_id, value: target.value });
    waiting = setTimeout(ask, PAUSE);
  };

  const read = (box) => {
    const field = box.querySelector("select, input.bk-plain-input");
    if (field) return field.value;
    return [...box.querySelectorAll("input:checked")].map((tick) => tick.closest("label").textContent.trim());
  };

  const choose = ({ target }) => {
    if (silent || !target.matches?.(".modal .bk-input select")) return;
    const block = blockAt(target);
    if (!block?.dispatch_action) return;
    const fields = Object.fromEntries(blocks().map((one) => [one.block_id, read(boxOf(one))]));
    send({ t: "choosing", user: actor(), block_id: block.block_id, fields });
  };

  const button = (shortcut, about, className) => {
    const pressed = document.createElement("button");
    pressed.className = `shortcut ${className}`;
    pressed.textContent = `⚡ ${shortcut.label}`;
    pressed.addEventListener("click", () => {
      send({ t: "shortcut", user: actor(), callback_id: shortcut.callback_id, ...about });
    });
    return pressed;
  };

  const channelOf = (ts) => Object.keys(said).find((id) => said[id].some((message) => message.ts === ts)) ?? "";
  const of = (kind) => shortcuts.filter((shortcut) => shortcut.kind === kind);

  // In the bar above everything.
  const showShortcuts = () => {
    const bar = document.querySelector(".topbar-right");
    if (!bar) return setTimeout(showShortcuts, 25);
    bar.querySelectorAll(".shortcut").forEach((old) => old.remove());
    bar.prepend(...of("global").map((shortcut) => button(shortcut, {}, "inspector-toggle")));
  };

  // Beside what else can be done with the message under the pointer.
  const point = ({ target }) => {
    const menu = target.closest?.(".msg[data-ts]")?.querySelector(".msg-hover-actions");
    if (!menu || menu.querySelector(".shortcut")) return;
    const ts = menu.closest(".msg").dataset.ts;
    menu.append(...of("message").map((shortcut) => button(shortcut, { channel: channelOf(ts), ts }, "msg-hover-btn")));
  };

  const heard = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.t === "init") {
      setTimeout(tell, 0);
      viewed(frame.state.modalStack);
      said = frame.state.messages;
      shortcuts = frame.shortcuts;
      setTimeout(showShortcuts, 0);
    }
    if (frame.t === "view") viewed(frame.stack);
    if (frame.t === "offered") offer(frame);
    if (frame.t === "message") (said[frame.message.channel] ??= []).push(frame.message);
  };

  window.WebSocket = class extends Plain {
    constructor(...address) {
      super(...address);
      page = this;
      this.addEventListener("message", heard);
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.closest("label.actas")) tell();
    choose(event);
  });
  document.addEventListener("mouseover", point);
  document.addEventListener("input", type);
  document.addEventListener("focusin", type);
  document.addEventListener("focusout", withdraw);
  document.addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent = `
      .offered { border: 1px solid #bbb; border-radius: 4px; margin-top: 4px; max-height: 220px; overflow: auto; }
      .offered [role="option"] { padding: 4px 10px; cursor: pointer; }
      .offered [role="option"]:hover { background: #1264a3; color: #fff; }`;
    document.head.append(style);
  });
})();
