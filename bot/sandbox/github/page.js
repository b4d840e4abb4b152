// Shows what there is every second; says, clicks and re-runs through the control API.
"use strict";
(() => {
  const POLL_MS = 1000;
  const at = (id) => document.getElementById(id);
  let last = "";

  async function show() {
    const reply = await fetch("/_control/page/shown" + location.search);
    const text = await reply.text();
    if (text === last) return;
    last = text;
    const open = [...document.querySelectorAll("details")].map((one) => one.open);
    at("shown").innerHTML = text;
    document.querySelectorAll("details").forEach((one, place) => { one.open = one.open || open[place] || false; });
  }

  async function act(path, body) {
    const reply = await fetch("/_control/" + path, { method: "POST", body: JSON.stringify(body) });
    at("notice").textContent = reply.ok ? "" : (await reply.json()).error;
    await show();
    return reply.ok;
  }

  const by = () => at("composer").elements.by.value;

  at("shown").addEventListener("click", (event) => {
    const { check, identifier } = event.target.dataset;
    if (!check) return;
    const clicked = { check_run_id: Number(check), by: by() };
    if (identifier) act("clicks", { ...clicked, identifier }); else act("rerequests", clicked);
  });

  at("composer").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { repo, number } = at("chosen")?.dataset ?? {};
    if (!number) { at("notice").textContent = "There is no conversation to say it in."; return; }
    const body = at("composer").elements.body;
    if (await act("comments", { repo, number: Number(number), body: body.value, by: by() })) body.value = "";
  });

  show();
  setInterval(show, POLL_MS);
})();
