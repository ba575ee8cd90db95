"use strict";

// Shows openapi.json and lets its operations be tried, on this origin alone.

const prefix = location.pathname.replace(/\/docs$/, "");
const keys = document.getElementById("keys");

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function resolve(api, value) {
  return value && value.$ref ? value.$ref.slice(2).split("/").reduce((place, step) => place[step], api) : value;
}

// A schema in one readable line or block: {name: text, …}.
function outline(api, schema, depth = 0) {
  const name = schema.$ref ? schema.$ref.split("/").pop() : null;
  const found = resolve(api, schema);
  const options = found.anyOf || found.oneOf;
  if (options) return options.map((each) => outline(api, each, depth)).join(" | ");
  if (found.allOf) return outline(api, found.allOf[0], depth);
  if (found.enum) return found.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (found.type === "array") return `[${outline(api, found.items, depth)}]`;
  if (found.type !== "object" || !found.properties) return found.format || found.type || "any";
  if (depth > 3) return name || "{…}";
  const indent = "  ".repeat(depth + 1);
  const required = new Set(found.required || []);
  const lines = Object.entries(found.properties).map(
    ([field, each]) => `${indent}${field}${required.has(field) ? "" : "?"}: ${outline(api, each, depth + 1)}`,
  );
  return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

// The smallest body that says what is required.
function example(api, schema) {
  const found = resolve(api, schema);
  if (found.enum) return found.enum[0];
  if (found.anyOf) return example(api, found.anyOf[0]);
  if (found.type === "object") {
    return Object.fromEntries((found.required || []).map((field) => [field, example(api, found.properties[field])]));
  }
  if (found.type === "array") return [];
  if (found.type === "integer") return found.minimum || 0;
  return found.type === "boolean" ? true : "";
}

function inputFor(parameter) {
  const schema = parameter.schema;
  const allowed = schema.enum || (schema.items && schema.items.enum);
  const hint = allowed && allowed.length < 12 ? allowed.join(", ") : schema.format || schema.type;
  const input = element("input", { name: parameter.name, placeholder: hint, spellcheck: false });
  input.dataset.place = parameter.in;
  return element("label", {}, `${parameter.name} `, element("small", {}, parameter.description || ""), input);
}

async function send(path, method, form, shown) {
  const url = new URL(prefix + path, location.origin);
  const headers = {};
  for (const input of form.querySelectorAll("input")) {
    const { name, value } = input;
    const place = input.dataset.place;
    if (place === "path") {
      const filled = value || (name === "token" ? keys.elements.token.value : "");
      url.pathname = decodeURIComponent(url.pathname).replace(`{${name}}`, encodeURIComponent(filled) || "-");
    } else if (place === "query" && value) {
      url.searchParams.set(name, value);
    } else if (place === "header" && value) {
      headers[name] = value;
    }
  }
  if (keys.elements.bearer.value) headers.Authorization = `Bearer ${keys.elements.bearer.value}`;
  const body = form.querySelector("textarea");
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(url, { method, headers, body: body ? body.value : undefined, credentials: "omit" });
  const text = await answer.text();
  const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  let pretty = text;
  try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* Shown as it came. */ }
  shown.textContent = `${answer.status} ${answer.statusText}\n${fields}\n\n${pretty}`;
}

function answers(api, operation) {
  const lines = Object.entries(operation.responses).map(([status, each]) => {
    const found = resolve(api, each);
    const content = Object.values(found.content || {})[0];
    const shape = content && status < "300" ? ` ${outline(api, content.schema)}` : "";
    return `${status} ${found.description}${shape}`;
  });
  return element("pre", {}, lines.join("\n"));
}

function operationOf(api, path, method, operation) {
  const title = element("summary", {}, element("b", {}, method.toUpperCase()), path, element("span", {}, operation.summary));
  const form = element("form", { autocomplete: "off" }, ...(operation.parameters || []).map(inputFor));
  if (operation.requestBody) {
    const schema = operation.requestBody.content["application/json"].schema;
    const text = JSON.stringify(example(api, schema), null, 2);
    form.append(element("h3", {}, "Body"), element("pre", {}, outline(api, schema)));
    form.append(element("label", {}, "JSON ", element("textarea", { name: "body", value: text, spellcheck: false })));
  }
  const shown = element("pre", { hidden: true });
  shown.setAttribute("aria-live", "polite");
  form.append(element("button", {}, "Send"), shown);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    shown.hidden = false;
    shown.textContent = "…";
    send(path, method.toUpperCase(), form, shown).catch((problem) => { shown.textContent = String(problem); });
  });
  const parts = [element("p", {}, operation.description || ""), form, element("h3", {}, "Answers"), answers(api, operation)];
  const details = element("details", { className: "operation" }, title);
  details.addEventListener("toggle", () => { if (details.children.length === 1) details.append(...parts); });
  return details;
}

async function show() {
  const api = await (await fetch(`${prefix}/openapi.json`)).json();
  document.getElementById("about").textContent = `${api.info.description}\n\nVersion ${api.info.version}`;
  const place = document.getElementById("operations");
  for (const tag of api.tags) {
    place.append(element("h2", {}, tag.description));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(tag.name)) place.append(operationOf(api, path, method, operation));
      }
    }
  }
}

keys.addEventListener("submit", (event) => event.preventDefault());
show().catch((problem) => { document.getElementById("about").textContent = String(problem); });
