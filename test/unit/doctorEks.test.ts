import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkEks, judgeIdentity } from "../../doctor/eks.ts";
import { type Answers, machine, result } from "./doctorProbes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ARN = "arn:aws:sts::111122223333:assumed-role/ops/me";
const known: Answers = [
  [/^aws --region eu-central-1 sts get-caller-identity/, { stdout: JSON.stringify({ Arn: ARN }, null, 4) }],
];

test("a machine with the SDK, the CLI and credentials gets no error, and is told whose they are", async () => {
  writeFileSync(join(folder, "aws"), "");
  chmodSync(join(folder, "aws"), 0o755);
  const findings = await checkEks({ region: "eu-central-1" }, machine(known, { env: { PATH: folder } }), undefined);
  expect(findings.map(({ what, level }) => [what, level])).toEqual([
    ["AWS SDK", expect.any(String)],
    ["AWS CLI", "ok"],
    ["AWS credentials", "ok"],
  ]);
  expect(findings.at(-1)?.evidence).toContain(ARN);
});

test("without the CLI nobody is asked, and how to get it is said", async () => {
  const probes = machine(known, { env: { PATH: folder } });
  const findings = await checkEks({ region: "eu-central-1" }, probes);
  expect(findings.at(-1)).toMatchObject({ level: "error", what: "AWS CLI", fix: expect.stringContaining("install") });
  expect(probes.ran).toEqual([]);
});

test.each([
  [
    "none",
    { code: 253, stderr: "\nUnable to locate credentials. You can configure credentials by running ..." },
    /Unable to locate/,
  ],
  [
    "old ones",
    { code: 254, stderr: "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: expired" },
    /ExpiredToken/,
  ],
  ["no answer in time", { code: null, failure: "ETIMEDOUT" }, /ETIMEDOUT/],
  ["an answer that names nobody", { stdout: "{}" }, /no answer/],
])("credentials that AWS does not know are an error: %s", (_, answer, said) => {
  expect(judgeIdentity(result(answer))).toMatchObject({ level: "error", evidence: expect.stringMatching(said) });
});
