import { randomBytes as cryptoRandomBytes } from "node:crypto";
import { detailedDiff } from "../plugin/diff.ts";
import { type CheckFailure, RequestError, type Resource } from "../plugin/provider.ts";
import { isMap, type PropertyMap, reveal, Secret, Unknown, unknown } from "../plugin/values.ts";

/**
 * `random.RandomBytes`: bytes of a cryptographic generator, made once.
 *
 * The id is the base64 form of the bytes, as the official plugin has it, and the engine never encrypts ids: who must
 * keep the bytes out of the state takes another resource (pulumi/pulumi-random, computeRandomBytesID; pulumi#8946).
 */
export const randomBytes: Resource = {
  check: ({ news }) => ({ inputs: news, failures: failures(news) }),

  diff: ({ oldInputs, news }) => ({ detailed: detailedDiff(oldInputs, news, () => true) }),

  create({ inputs, preview }) {
    if (preview) {
      return { id: "", outputs: { ...inputs, base64: new Secret(unknown), hex: new Secret(unknown) } };
    }
    const bytes = cryptoRandomBytes(Number(reveal(inputs.length ?? null)));
    return { id: bytes.toString("base64"), outputs: { ...inputs, ...encodings(bytes) } };
  },

  read({ id, inputs, outputs }) {
    if (outputs.base64 !== undefined) {
      return { id, inputs, outputs };
    }
    const bytes = Buffer.from(id, "base64"); // an import: the bytes are all there is to know
    if (bytes.length === 0 || bytes.toString("base64") !== id) {
      throw new RequestError("RandomBytes is imported by its bytes in base64; the given id is no base64");
    }
    const imported = { length: bytes.length };
    return { id, inputs: imported, outputs: { ...imported, ...encodings(bytes) } };
  },

  update: ({ news, oldOutputs }) => ({ ...oldOutputs, ...news }),

  delete: () => undefined,
};

function encodings(bytes: Buffer): PropertyMap {
  return { base64: new Secret(bytes.toString("base64")), hex: new Secret(bytes.toString("hex")) };
}

function failures(inputs: PropertyMap): CheckFailure[] {
  const found: CheckFailure[] = [];
  const length = reveal(inputs.length ?? null);
  if (length === null) {
    found.push({ property: "length", reason: "Missing required property 'length': the number of bytes" });
  } else if (!(length instanceof Unknown) && (!Number.isInteger(Number(length)) || Number(length) < 1)) {
    found.push({ property: "length", reason: `length must be a whole number of at least 1, got: ${String(length)}` });
  }
  const keepers = reveal(inputs.keepers ?? null);
  if (keepers !== null && !(keepers instanceof Unknown) && !isMap(keepers)) {
    found.push({ property: "keepers", reason: "keepers must be a map of strings" });
  }
  return found;
}
