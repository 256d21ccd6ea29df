// Capabilities of the notes team in JavaScript: what seeder asks with POST and JSON. Needs nothing but Node.
import { createServer } from "node:http";

const [host, port] = process.argv.slice(2);
const made = new Map(); // Idempotency-Key -> the note that was made with it
let asked = 0;

const problem = (status, title, more = {}) => ({
  status,
  headers: { "Content-Type": "application/problem+json" },
  body: { title, status, ...more },
});

const write = async ({ inputs, step, unique, services }, key) => {
  asked += 1;
  if (inputs.how === "never") return problem(422, "the year is closed", { detail: "2025 takes no notes" });
  if (inputs.how === "dependency") return problem(424, "it does not answer", { dependency: "the tax office" });
  if (inputs.how === "later" && asked < 3) return { ...problem(429, "not yet"), headers: { "Retry-After": "0" } };
  if (inputs.how === "nonsense") return { status: 200, body: { outputs: { id: "none", body: "" } } };
  const seen = services.web ? await (await fetch(`${services.web.url}/health`)).json() : null;
  if (!made.has(key)) made.set(key, { id: made.size + 1, body: `${inputs.body} ${unique.note} ${step}`, seen });
  if (inputs.how === "unknown" && asked < 2) return problem(503, "who knows");
  return { status: 201, body: { outputs: made.get(key) } };
};

const find = ({ step }) => {
  const note = [...made.values()].find(({ body }) => body.endsWith(step));
  return note ? { status: 200, body: { outputs: note } } : problem(404, "there is none");
};

const undo = ({ made: { id } }) => {
  const known = [...made].find(([, note]) => note.id === id);
  return known && made.delete(known[0]) ? { status: 200, body: {} } : problem(404, "there is none");
};

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  const given = text ? JSON.parse(text) : {};
  const ways = { "/write": write, "/find": find, "/undo": undo };
  const way = ways[request.url] ?? (() => ({ status: 200, body: "ok" }));
  const { status, headers, body } = await way(given, request.headers["idempotency-key"]);
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
});
server.listen(Number(port), host, () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
