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

// the Metadata API: which component is the app's, off, refused meanwhile, on again
const KIND = "ExtlClntAppConfigurablePolicies";
const listed = await org.metadata.list([{ type: KIND }]);
const { fullName } = listed.find((one) => one.fullName.startsWith(given.other.name));
const policies = await org.metadata.read(KIND, fullName);
const off = await org.metadata.update(KIND, { ...policies, isOauthPluginEnabled: "false" });
const blocked = await said(() => login(given, given.other.pair));
const offRead = await org.metadata.read(KIND, fullName);
const on = await org.metadata.update(KIND, { ...offRead, isOauthPluginEnabled: "true" });
const unblocked = await said(() => login(given, given.other.pair));
const unknown = await org.metadata.update(KIND, { ...policies, fullName: "Nothing" });

process.stdout.write(JSON.stringify({
  switch: { listed: listed.length, policies, off, blocked, offRead, on, unblocked, unknown },
  nothingRead: await org.metadata.read(KIND, "Nothing"),
  badType: await said(() => org.metadata.list([{ type: "NoSuchType" }])),
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
