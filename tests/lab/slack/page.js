// Tells the proxy whom this page acts as, so that it shows what that person would see and nothing else.
(() => {
  const Plain = window.WebSocket;
  let page = null;
  const tell = () => {
    const who = document.querySelector("label.actas select");
    if (who && page && page.readyState === Plain.OPEN) page.send(JSON.stringify({ t: "acting_as", user: who.value }));
  };
  window.WebSocket = class extends Plain {
    constructor(...address) {
      super(...address);
      page = this;
      this.addEventListener("message", (frame) => {
        if (frame.data.startsWith('{"t":"init"')) setTimeout(tell, 0);
      });
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.closest("label.actas")) tell();
  });
})();
