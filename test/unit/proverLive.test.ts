import { policyFacts } from "../../prover/live/admission.ts";
import { dataChanges, lastChange } from "../../prover/live/changedBy.ts";
import { digestOf } from "../../prover/live/digest.ts";
import { secretFacts } from "../../prover/live/read.ts";
import { parseRecord } from "../../prover/live/record.ts";

const HEX = "0123456789abcdef".repeat(5).slice(0, 40);
const secret = (line: string) => ({ data: { keys: Buffer.from(line).toString("base64") } });

describe("the facts of the IPsec Secret", () => {
  test("are its key's id, size and digest, and never the key", () => {
    const facts = secretFacts(secret(`3+ rfc4106(gcm(aes)) ${HEX} 128`));
    expect(facts).toMatchObject({ keyId: 3, keyBits: 128, by: null });
    expect(JSON.stringify(facts)).not.toContain(HEX.slice(0, 8));
  });

  test("tell a key of 256 bits", () => {
    expect(secretFacts(secret(`15+ rfc4106(gcm(aes)) ${"ab".repeat(36)} 128`))).toMatchObject({
      keyId: 15,
      keyBits: 256,
    });
  });

  test.each(["", "3+ rfc4106(gcm(aes)) xyz 128", `3+ rfc4106(gcm(aes)) ${HEX}ff 128`])(
    "tell no size of a line that Cilium could not use: %s",
    (line) => {
      expect(secretFacts(secret(line)).keyBits).toBeNull();
    },
  );

  test("another key of the same id has another digest", () => {
    const [one, other] = [HEX, HEX.replace("0", "1")].map((hex) =>
      secretFacts(secret(`3+ rfc4106(gcm(aes)) ${hex} 128`)),
    );
    expect(one?.digest).not.toBe(other?.digest);
  });
});

describe("the facts of admission", () => {
  const object = (name: string, generation: number, uid = "u") =>
    ({ kind: "ValidatingAdmissionPolicy", metadata: { name, uid, generation } }) as const;
  const of = (...objects: Parameters<typeof policyFacts>[0]) => policyFacts(objects);

  test("are our policies, in one order, and nobody else's", () => {
    const [config, keys] = [object("wirecloak-cilium-config", 1), object("wirecloak-ipsec-keys", 1)];
    expect(of(keys, object("others", 1), config).map(({ name }) => name)).toEqual([
      "wirecloak-cilium-config",
      "wirecloak-ipsec-keys",
    ]);
    expect(of(keys, config)).toEqual(of(config, keys));
  });

  test("differ after a change, and for another object of the same name", () => {
    const name = "wirecloak-cilium-config";
    const digests = [of(object(name, 1)), of(object(name, 2)), of(object(name, 1, "v"))].map(([one]) => one?.digest);
    expect(new Set(digests).size).toBe(3);
  });
});

describe("who changed it", () => {
  const managed = [
    {
      manager: "helm",
      operation: "Update",
      time: new Date("2026-11-21T09:00:00Z"),
      fieldsV1: { "f:data": { ".": {}, "f:a": {} } },
    },
    {
      manager: "kubectl-edit",
      operation: "Update",
      time: "2026-11-21T10:00:00Z",
      fieldsV1: { "f:data": { "f:b": {} } },
    },
    {
      manager: "labeller",
      operation: "Update",
      time: new Date("2026-11-21T11:00:00Z"),
      fieldsV1: { "f:metadata": {} },
    },
  ];

  test("the newest that wrote data, each with its keys; a label's writer is none", () => {
    expect(dataChanges(managed)).toEqual([
      { manager: "kubectl-edit", operation: "Update", time: "2026-11-21T10:00:00.000Z", keys: ["b"] },
      { manager: "helm", operation: "Update", time: "2026-11-21T09:00:00.000Z", keys: ["a"] },
    ]);
  });

  test("the last writer of any of some paths, names with dots included", () => {
    const fieldsV1 = { "f:metadata": { "f:annotations": { "f:network.cilium.io/wg-pub-key": {} } } };
    const annotated = [...managed, { manager: "cilium-agent", time: "2026-11-21T08:00:00Z", fieldsV1 }];
    const path = ["metadata", "annotations", "network.cilium.io/wg-pub-key"];
    expect(lastChange(annotated, path, ["spec"])?.manager).toBe("cilium-agent");
    expect(lastChange(managed, path)).toBeNull();
  });
});

test("a digest goes by contents, not by the order of keys", () => {
  expect(digestOf({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOf({ b: { d: 3, c: 2 }, a: 1 }));
  expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: 2 }));
});

test.each([null, "", "{", '{"schema":2}', '{"schema":1,"run":"r"}'])(
  "what is no record of this version is none: %s",
  (text) => {
    expect(parseRecord(text)).toBeNull();
  },
);
