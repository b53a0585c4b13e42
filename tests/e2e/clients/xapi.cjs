// @xapi/xapi: sends 25 statements and a state, queries by agent and follows every more link.
// Told on standard input: {endpoint, username, password, version, adapter}; answers as JSON.
const XAPI = require("@xapi/xapi").default ?? require("@xapi/xapi");
const told = JSON.parse(require("fs").readFileSync(0, "utf8"));

const agent = (number) => ({ objectType: "Agent", mbox: `mailto:learner${number % 2}@example.org` });
const verb = { id: "http://adlnet.gov/expapi/verbs/passed", display: { "en-US": "passed" } };
const make = (number) => ({
  actor: agent(number),
  verb,
  object: {
    objectType: "Activity",
    id: `https://museum.example.org/rooms/${number}`,
    definition: { name: { "en-US": `Room ${number}` } },
  },
  result: { score: { scaled: 0.5, raw: number }, success: true, duration: "PT1M30.5S" },
});

async function main() {
  const xapi = new XAPI({
    endpoint: told.endpoint,
    auth: XAPI.toBasicAuth(told.username, told.password),
    version: told.version,
    adapter: told.adapter,
  });
  const about = await xapi.getAbout();
  const sent = await xapi.sendStatements({ statements: Array.from({ length: 24 }, (_, n) => make(n)) });
  const one = await xapi.sendStatement({ statement: make(24) });
  const single = await xapi.getStatement({ statementId: one.data[0] });
  const pages = [];
  let page = await xapi.getStatements({ agent: agent(0), verb: verb.id, limit: 5 });
  for (;;) {
    pages.push(page.data.statements.map((statement) => statement.result.score.raw));
    if (!page.data.more) break;
    page = await xapi.getMoreStatements({ more: page.data.more });
  }
  const where = { agent: agent(0), activityId: "https://museum.example.org/rooms/0", stateId: "place" };
  await xapi.setState({ ...where, state: { floor: 2 } });
  const state = await xapi.getState(where);
  await xapi.voidStatement({ actor: agent(0), statementId: one.data[0] });
  const voided = await xapi.getVoidedStatement({ voidedStatementId: one.data[0] });
  let refusal;
  try {
    await xapi.sendStatement({ statement: { ...make(0), object: { id: "no-iri" } } });
  } catch (error) {
    refusal = error.response?.data ?? JSON.parse(error.message);
  }
  return {
    about: about.data.version,
    sent: sent.data.length,
    single: single.data.result.score.raw,
    singleVersion: single.data.version,
    pages,
    state: state.data,
    voided: voided.data.id === one.data[0],
    answered: page.headers["x-experience-api-version"],
    refusal,
  };
}

main().then(
  (found) => process.stdout.write(JSON.stringify(found)),
  (error) => {
    console.error(error, error?.response?.data);
    process.exitCode = 1;
  },
);
