import { randomInt } from "node:crypto";
import { detailedDiff } from "../plugin/diff.ts";
import { type CheckFailure, RequestError, type Resource } from "../plugin/provider.ts";
import { isMap, type PropertyMap, reveal, Secret, Unknown, unknown } from "../plugin/values.ts";

/**
 * `random.RandomPassword`: characters of a cryptographic generator, made once. Unlike RandomBytes it keeps what it made
 * out of its id. The output `bcryptHash` is left out: nothing here needs it, and Node.js has no bcrypt.
 */
export const randomPassword: Resource = {
  check: ({ news }) => ({ inputs: news, failures: failures(news) }),

  diff: ({ oldInputs, news }) => ({ detailed: detailedDiff(oldInputs, news, () => true) }),

  create({ inputs, preview }) {
    if (preview) {
      return { id: "", outputs: { ...inputs, result: new Secret(unknown) } };
    }
    return { id: "none", outputs: { ...inputs, result: new Secret(generate(inputs)) } };
  },

  read({ id, inputs, outputs }) {
    if (outputs.result !== undefined) {
      return { id, inputs, outputs };
    }
    const imported = { length: id.length }; // an import: its id is the password
    return { id: "none", inputs: imported, outputs: { ...imported, result: new Secret(id) } };
  },

  update: ({ news, oldOutputs }) => ({ ...oldOutputs, ...news }),

  delete: () => undefined,
};

const letters = "abcdefghijklmnopqrstuvwxyz";

/** The kinds of characters: which input allows them, which one sets their least number. All are allowed by default. */
const kinds = [
  { allowed: "upper", least: "minUpper", characters: letters.toUpperCase() },
  { allowed: "lower", least: "minLower", characters: letters },
  { allowed: "numeric", least: "minNumeric", characters: "0123456789" },
  { allowed: "special", least: "minSpecial", characters: "!@#$%&*()-_=+[]{}<>:?" },
] as const;

const leasts: readonly string[] = kinds.map(({ least }) => least);
const flags: readonly string[] = [...kinds.map(({ allowed }) => allowed), "number"];

function generate(inputs: PropertyMap): string {
  const plain = (name: string) => reveal(inputs[name] ?? null);
  const alphabetOf = ({ allowed, characters }: (typeof kinds)[number]) => {
    const on = plain(allowed) ?? (allowed === "numeric" ? plain("number") : null) ?? true;
    const own = allowed === "special" ? plain("overrideSpecial") : null;
    return on === true ? String(own ?? characters) : "";
  };
  const chosen = kinds.flatMap((kind) => pick(alphabetOf(kind), Number(plain(kind.least) ?? 0)));
  const rest = Number(plain("length")) - chosen.length;
  return shuffled([...chosen, ...pick(kinds.map(alphabetOf).join(""), rest)]).join("");
}

/** Characters of an alphabet, each as likely as the other. */
function pick(alphabet: string, count: number): string[] {
  if (alphabet === "" && count > 0) {
    throw new RequestError("RandomPassword: no character is allowed; set upper, lower, numeric or special to true");
  }
  return Array.from({ length: Math.max(count, 0) }, () => alphabet.charAt(randomInt(alphabet.length)));
}

/** Fisher and Yates' shuffle. */
function shuffled(characters: string[]): string[] {
  for (let last = characters.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? "", characters[last] ?? ""];
  }
  return characters;
}

function failures(inputs: PropertyMap): CheckFailure[] {
  const known = Object.entries(inputs).flatMap(([property, marked]): [string, ReturnType<typeof reveal>][] => {
    const value = reveal(marked);
    return value === null || value instanceof Unknown ? [] : [[property, value]];
  });
  const found = known.flatMap(([property, value]): CheckFailure[] => {
    const fail = (reason: string) => [{ property, reason: `${property} ${reason}` }];
    if (property === "length" || leasts.includes(property)) {
      const least = property === "length" ? 1 : 0;
      return Number.isInteger(value) && Number(value) >= least
        ? []
        : fail(`must be a whole number of at least ${least}`);
    }
    if (flags.includes(property)) {
      return typeof value === "boolean" ? [] : fail("must be true or false");
    }
    if (property === "overrideSpecial") {
      return typeof value === "string" ? [] : fail("must be a string");
    }
    return property === "keepers" && !isMap(value) ? fail("must be a map of strings") : [];
  });
  const number = (name: string) => Number(known.find(([property]) => property === name)?.[1] ?? 0);
  const least = leasts.reduce((sum, name) => sum + number(name), 0);
  if (found.length === 0 && number("length") > 0 && least > number("length")) {
    found.push({ property: "length", reason: `length must be at least ${least}, the sum of ${leasts.join(", ")}` });
  }
  if ((inputs.length ?? null) === null) {
    found.push({ property: "length", reason: "Missing required property 'length': the number of characters" });
  }
  return found;
}
