// tincanjs: sends 25 statements and a state, queries by agent and follows every more link.
// Told on standard input: {endpoint, username, password, version}; answers as JSON.
const TinCan = require("tincanjs");
const told = JSON.parse(require("fs").readFileSync(0, "utf8"));

const agent = (number) => new TinCan.Agent({ mbox: `mailto:learner${number % 2}@example.org` });
const verb = new TinCan.Verb({ id: "http://adlnet.gov/expapi/verbs/passed", display: { "en-US": "passed" } });
const make = (number) =>
  new TinCan.Statement({
    actor: agent(number),
    verb,
    target: {
      id: `https://museum.example.org/rooms/${number}`,
      definition: { name: { "en-US": `Room ${number}` } },
    },
    result: { score: { scaled: 0.5, raw: number }, success: true, duration: "PT1M30.5S" },
  });

const lrs = new TinCan.LRS({
  endpoint: told.endpoint,
  username: told.username,
  password: told.password,
  version: told.version,
  allowFail: false,
});
const failed = (status, answer) => Object.assign(new Error(`answered ${status}`), { text: answer?.responseText });
const ask = (start) =>
  new Promise((resolve, reject) =>
    start((error, answer) => (error === null ? resolve(answer) : reject(failed(error, answer)))),
  );

async function main() {
  const about = await ask((callback) => lrs.about({ callback }));
  const statements = Array.from({ length: 24 }, (_, n) => make(n));
  await ask((callback) => lrs.saveStatements(statements, { callback }));
  const last = make(24);
  await ask((callback) => lrs.saveStatement(last, { callback }));
  const single = await ask((callback) => lrs.retrieveStatement(last.id, { callback }));
  const pages = [];
  let page = await ask((callback) => lrs.queryStatements({ params: { agent: agent(0), verb, limit: 5 }, callback }));
  for (;;) {
    pages.push(page.statements.map((statement) => statement.result.score.raw));
    const url = page.more;
    if (!url) break;
    page = await ask((callback) => lrs.moreStatements({ url, callback }));
  }
  const activity = new TinCan.Activity({ id: "https://museum.example.org/rooms/0" });
  const where = { agent: agent(0), activity };
  await ask((callback) => lrs.saveState("place", JSON.stringify({ floor: 2 }), { ...where, contentType: "application/json", callback }));
  const state = await ask((callback) => lrs.retrieveState("place", { ...where, callback }));
  let refusal;
  try {
    const wrong = make(0);
    wrong.target.id = "no-iri";
    await ask((callback) => lrs.saveStatement(wrong, { callback }));
  } catch (error) {
    refusal = JSON.parse(error.text);
  }
  return {
    about: about.version,
    single: single.result.score.raw,
    singleVersion: single.version,
    pages,
    state: state.contents,
    refusal,
  };
}

main().then(
  (found) => process.stdout.write(JSON.stringify(found)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
