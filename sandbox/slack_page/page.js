"use strict";

// Every text goes in as textContent: what an attacker wrote is shown, never interpreted.

const channel = document.getElementById("channel");
const person = document.getElementById("person");
const said = new Map();
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
  const box = node("div");
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

function drawMessage(message) {
  const article = node("article");
  article.append(...message.blocks.map((block) => drawBlock(block, message)));
  if (said.has(message.ts)) {
    const { text, refused } = said.get(message.ts);
    article.append(node("p", refused ? "said refused" : "said", text));
  }
  return article;
}

function draw(state) {
  const now = JSON.stringify([state, [...said]]);
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
  channel.replaceChildren(...state.messages.map(drawMessage).reverse());
}

async function refresh() {
  const answer = await fetch("state");
  draw(await answer.json());
}

async function press(ts, actionId) {
  const answer = await fetch("press", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Firebreak-Page": "press" },
    body: JSON.stringify({ ts, action_id: actionId, user: person.value }),
  });
  const told = await answer.json();
  const refused = told.status !== 200;
  const text = refused ? `Only you can see this: ${message(told.text)}` : "Only you can see this: your answer was taken.";
  said.set(ts, { text, refused });
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
setInterval(() => refresh().catch(() => {}), 1000);
