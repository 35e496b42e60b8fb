// Verifies an export of the audit trail without rotator: node verify-export.mjs FILE [PUBLIC_KEY.pem]
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
const [file, keyFile] = process.argv.slice(2);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const canonical = (v) => v === null || typeof v !== 'object' ? JSON.stringify(v)
  : `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`)}}`;
const fail = (text) => { console.log(`BROKEN: line ${text}`); process.exit(1); };
const all = createHash('sha256'); // of every byte before the last line
let number = 0, rest = '', rows = 0, head, end, last;
function wrong(line) { // what is wrong with the line; '' for nothing
  let row;
  try { row = JSON.parse(line); } catch { return 'is no JSON'; }
  if (canonical(row) !== line) return 'is not written as rotator writes it';
  if (end) return 'stands behind the end';
  if (row.kind === 'rotator-export-end-v1' && head) return ending(end = row);
  all.update(line + '\n');
  if (!head) { [head, last] = [row, row.after]; return row.kind === 'rotator-export-v1' && last ? '' : 'is no head'; }
  const { hash, ...body } = row, before = last;
  [last, rows] = [row, rows + 1];
  if (sha256('rotator audit row v1\n' + row.prev_hash + canonical(body)) !== hash) return 'was changed';
  if (row.seq === before.seq + 1) return row.prev_hash === before.hash ? '' : 'does not follow the row before';
  return head.complete || row.seq <= before.seq ? 'does not follow the row before' : '';
}
function ending({ signature, ...body }) {
  if (body.rows !== rows || body.sha256 !== all.digest('hex')) return 'tells of other lines: some were changed or are gone';
  if (head.complete && (body.head.seq !== last.seq || body.head.hash !== last.hash)) return 'tells of another last row';
  const text = Buffer.from('rotator export v1\n' + canonical(body)), key = keyFile && createPublicKey(readFileSync(keyFile));
  return key && !verify(null, text, key, Buffer.from(signature, 'base64')) ? 'is not signed by that key' : '';
}
for await (const chunk of createReadStream(file, 'utf8')) {
  const lines = (rest + chunk).split('\n'); // at line feeds only: node:readline also splits at U+2028, which JSON may hold
  rest = lines.pop();
  for (const line of lines) { number += 1; const bad = wrong(line); if (bad) fail(`${number} ${bad}`); }
}
if (!end || rest) fail(`${number + 1} ${rest ? 'has no end' : 'is missing: the end was cut off'}`);
console.log(`whole: ${rows} rows${head.complete ? '' : ' of a part'}, after row ${head.after.seq}, up to row ${last.seq} ${last.hash}`);
