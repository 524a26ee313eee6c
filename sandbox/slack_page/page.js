"use strict";

// Every text goes in as textContent: what an attacker wrote is shown, never interpreted.

const channel = document.getElementById("channel");
const person = document.getElementById("person");
const title = document.title;
const said = new Map();
const pressed = new Set();
let drawn = "";

function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function joined(element) {
  return element.elements.map((run) => run.text).join("");
}

function richText(block) {
  const box = node("div", "parts");
  for (const element of block.elements) {
    const preformatted = element.type === "rich_text_preformatted";
    const bold = !preformatted && element.elements.every((run) => run.style && run.style.bold);
    box.append(node(preformatted ? "pre" : "p", bold ? "bold" : "", joined(element)));
  }
  return box;
}

function actions(block, message) {
  const box = node("div", "actions");
  for (const element of block.elements) {
    const button = node("button", element.style, element.text.text);
    button.disabled = pressed.has(message.ts);
    button.addEventListener("click", () => press(message.ts, element.action_id));
    box.append(button);
  }
  return box;
}

function drawBlock(block, message) {
  switch (block.type) {
    case "header": return node("h2", "", block.text.text);
    case "rich_text": return richText(block);
    case "context": {
      const box = node("div", "context");
      box.append(...block.elements.map((element) => node("div", "", element.text)));
      return box;
    }
    case "actions": return actions(block, message);
    default: return node("p", "said refused", `a ${block.type} block, which this page cannot draw`);
  }
}

// Only the colour of the card hangs on this; what became of a question is in its words.
function standing(message) {
  if (message.blocks.some((block) => block.type === "actions")) return "open";
  const words = message.blocks.filter((block) => block.type === "context").flatMap((block) => block.elements);
  if (words.some((element) => element.text.startsWith("Approved"))) return "yes";
  if (words.some((element) => /^(Denied|Nobody)/.test(element.text))) return "no";
  return "";
}

function from(message) {
  const line = node("p", "from");
  const when = new Date(Number(message.ts) * 1000);
  line.append(node("strong", "", "Firebreak"), node("span", "", "APP"));
  line.append(node("time", "", when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })));
  return line;
}

function drawMessage(message) {
  const article = node("article");
  const face = node("img");
  face.src = "icon.svg";
  face.alt = "";
  const body = node("div");
  const card = node("div", `card ${standing(message)}`);
  card.append(...message.blocks.map((block) => drawBlock(block, message)));
  if (said.has(message.ts)) {
    const { text, refused } = said.get(message.ts);
    card.append(node("p", refused ? "said refused" : "said", text));
  }
  body.append(from(message), card);
  article.append(face, body);
  return article;
}

function draw(state) {
  const now = JSON.stringify([state, [...said], [...pressed]]);
  if (now === drawn) return;
  drawn = now;
  if (person.options.length === 0) {
    for (const [id, name] of Object.entries(state.people)) {
      const option = node("option", "", name);
      option.value = id;
      person.append(option);
    }
  }
  document.getElementById("empty").hidden = state.messages.length > 0;
  const open = state.messages.filter((message) => standing(message) === "open").length;
  document.title = open ? `(${open}) ${title}` : title;
  channel.replaceChildren(...state.messages.map(drawMessage).reverse());
}

async function refresh() {
  const gone = document.getElementById("gone");
  try {
    const answer = await fetch("state");
    draw(await answer.json());
    gone.hidden = true;
  } catch {
    gone.hidden = false;
    document.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    drawn = "";
  }
}

async function press(ts, actionId) {
  pressed.add(ts);
  await refresh();
  try {
    const answer = await fetch("press", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Firebreak-Page": "press" },
      body: JSON.stringify({ ts, action_id: actionId, user: person.value }),
    });
    const told = await answer.json();
    const refused = told.status !== 200;
    const text = refused ? message(told.text) : "your answer was taken.";
    said.set(ts, { text: `Only you can see this: ${text}`, refused });
    if (refused) pressed.delete(ts);
  } catch {
    said.set(ts, { text: "Only you can see this: the answer did not arrive; press again.", refused: true });
    pressed.delete(ts);
  }
  await refresh();
}

function message(text) {
  try {
    return JSON.parse(text).message;
  } catch {
    return text;
  }
}

refresh();
setInterval(refresh, 1000);
