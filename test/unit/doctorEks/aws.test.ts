import { awsOf } from "../../../doctor/eks/aws.ts";
import { machine } from "../doctorProbes.ts";

const ask = (parts: object) => awsOf(machine([[/^aws/, parts]]), "us-west-2")(["ec2", "describe-vpcs"]);

test.each([
  ["a document", { stdout: '{"Vpcs": []}' }, { value: { Vpcs: [] } }],
  [
    "a refusal, by AWS's word for it",
    { code: 254, stderr: "\nAn error occurred (AuthFailure.Expired) when calling the X operation: gone\n" },
    { code: "AuthFailure.Expired", said: "An error occurred (AuthFailure.Expired) when calling the X operation: gone" },
  ],
  ["no answer in time", { code: null, failure: "SIGTERM" }, { code: "", said: "no answer within 15 s" }],
  ["nothing at all", { code: 1 }, { code: "", said: "no answer" }],
  ["something else", { stdout: "<html>" }, { code: "", said: "an answer that is no JSON" }],
])("AWS answers with %s", async (_, parts, expected) => {
  expect(await ask(parts)).toEqual(expected);
});

test("it is asked in one region, for JSON, with arguments and not by a shell", async () => {
  const probes = machine([[/^aws/, { stdout: "{}" }]]);
  await awsOf(probes, "eu-central-1")(["ec2", "describe-vpcs", "--vpc-ids", "$(x)"]);
  expect(probes.ran).toEqual(["aws --region eu-central-1 ec2 describe-vpcs --vpc-ids $(x) --output json"]);
});

test.each([["create-vpc"], ["delete-vpc"], ["modify-vpc-attribute"]])(
  "%s is not asked but as a dry run",
  async (operation) => {
    const probes = machine([[/^aws/, { code: 254 }]]);
    await expect(awsOf(probes, "us-west-2")(["ec2", operation])).rejects.toThrow("the doctor only looks");
    expect(probes.ran).toEqual([]);
    await awsOf(probes, "us-west-2")(["ec2", operation, "--dry-run"]);
    expect(probes.ran).toHaveLength(1);
  },
);
