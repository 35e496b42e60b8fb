// One session of jsforce, its code unchanged. Takes a JSON document on standard input, gives one on standard output.
import jsforce from "jsforce";

const read = async () => {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  return JSON.parse(text);
};

const connect = ({ url }, [clientId, clientSecret]) =>
  new jsforce.Connection({ oauth2: { loginUrl: url, clientId, clientSecret }, version: "65.0" });

const login = async (given, pair) => {
  const org = connect(given, pair);
  const user = await org.authorize({ grant_type: "client_credentials" });
  return { org, user };
};

const said = async (work) => {
  try {
    await work();
    return "nothing";
  } catch (error) {
    return error.errorCode ?? error.name;
  }
};

const given = await read();
const { org, user } = await login(given, given.admin);
const { org: large } = await login(given.large, given.large.admin);
const first = await large.query("SELECT Id, DeveloperName FROM ExternalClientApplication");
const second = await large.queryMore(first.nextRecordsUrl);
const staged = (await org.requestPost(given.staged, {})).stagedCredentials[0];
const { user: newUser } = await login(given, [staged.key, staged.secret]);
await org.requestPatch(`${given.staged}/${staged.id}`, { command: "rotate" });
const left = (await org.requestGet(given.staged)).stagedCredentials[0];
await org.requestDelete(`${given.staged}/${left.id}`);

process.stdout.write(JSON.stringify({
  user,
  newUser,
  instance: org.instanceUrl,
  identity: await org.identity(),
  limits: await org.limits(),
  types: (await org.describeGlobal()).sobjects.map((type) => type.name),
  fields: (await org.describe("User")).fields.map((field) => field.name),
  organization: await org.sobject("Organization").retrieve(given.orgId),
  pages: [first, second].map(({ totalSize, done, records }) => ({ totalSize, done, ids: records.map((row) => row.Id) })),
  left: { key: left.key, state: left.state },
  newStillIn: await said(() => login(given, [staged.key, staged.secret])),
  oldPair: await said(() => login(given, given.pair)),
  badQuery: await said(() => org.query("SELECT Nothing FROM User")),
  badPath: await said(() => org.requestGet("/services/data/v65.0/nothing")),
}));
