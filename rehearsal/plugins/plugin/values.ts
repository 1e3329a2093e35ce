/**
 * Pulumi property values as plain JavaScript, and their form on the wire.
 *
 * On the wire a property map is JSON in which a value that JSON lacks is an object with a signature key, and an unknown
 * value is one of a few fixed strings. Both come from the engine's source (sdk/go/common/resource/sig and
 * resource/plugin/rpc.go); they are part of Pulumi's protocol and never change.
 */

/** A value that is not known yet: at preview, an output of something that is still to be made. */
export class Unknown {
  readonly kind = "unknown";
}

/** The one unknown value. */
export const unknown: Unknown = new Unknown();

/** A value that the engine encrypts in the state and never shows. */
export class Secret {
  readonly kind = "secret";
  readonly value: Value;

  constructor(value: Value) {
    this.value = value instanceof Secret ? value.value : value;
  }
}

/** A file or folder handed over as a value; plugins that support none only carry it along. */
export class Asset {
  readonly kind = "asset";
  /** The JSON object as it was on the wire, signature included. */
  readonly wire: Readonly<Record<string, Json>>;

  constructor(wire: Readonly<Record<string, Json>>) {
    this.wire = wire;
  }
}

export type Value = null | boolean | number | string | Value[] | PropertyMap | Unknown | Secret | Asset;

export interface PropertyMap {
  [key: string]: Value;
}

/** JSON as `google.protobuf.Struct` carries it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const signatureKey = "4dabf18193072939515e22adb298388d";
const signatures = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
} as const;

/** What an unknown value of unstated type is sent as. */
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknownStrings: ReadonlySet<string> = new Set([
  unknownString,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/** Reads a value off the wire. */
export function decode(json: Json): Value {
  if (typeof json === "string") {
    return unknownStrings.has(json) ? unknown : json;
  }
  if (Array.isArray(json)) {
    return json.map(decode);
  }
  if (json === null || typeof json !== "object") {
    return json;
  }
  switch (json[signatureKey]) {
    case undefined:
      return decodeMap(json);
    case signatures.secret:
      return new Secret(decode(json.value ?? null));
    case signatures.output: {
      const value = json.value === undefined ? unknown : decode(json.value);
      return json.secret === true ? new Secret(value) : value;
    }
    case signatures.resource: // a reference counts as the id it stands for, as for a plugin that accepts no references
      return decode(json.id === "" ? unknownString : (json.id ?? json.urn ?? null));
    default:
      return new Asset(json);
  }
}

/** Reads a property map off the wire. */
export function decodeMap(json: Readonly<Record<string, Json>>): PropertyMap {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, decode(value)]));
}

/** Writes a value for the wire. */
export function encode(value: Value): Json {
  if (value instanceof Unknown) {
    return unknownString;
  }
  if (value instanceof Secret) {
    return { [signatureKey]: signatures.secret, value: encode(value.value) };
  }
  if (value instanceof Asset) {
    return { ...value.wire };
  }
  if (Array.isArray(value)) {
    return value.map(encode);
  }
  return value !== null && typeof value === "object" ? encodeMap(value) : value;
}

/** Writes a property map for the wire; a property that is `undefined` is left out. */
export function encodeMap(map: { readonly [key: string]: Value | undefined }): { [key: string]: Json } {
  const wire: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(map)) {
    if (value !== undefined) {
      wire[key] = encode(value);
    }
  }
  return wire;
}

/** Whether the value is a map (and none of the special values). */
export function isMap(value: Value | undefined): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isSpecial(value);
}

function isSpecial(value: object): value is Unknown | Secret | Asset {
  return value instanceof Unknown || value instanceof Secret || value instanceof Asset;
}

/** The value without its secret marks, at every depth. What it returns must not be shown. */
export function reveal(value: Value): Value {
  if (value instanceof Secret) {
    return reveal(value.value);
  }
  if (Array.isArray(value)) {
    return value.map(reveal);
  }
  return isMap(value) ? revealMap(value) : value;
}

/** `reveal` for a property map. */
export function revealMap(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, reveal(value)]));
}

/** Whether a secret is anywhere in the value. */
export function hasSecret(value: Value): boolean {
  return anywhere(value, (part) => part instanceof Secret);
}

/** Whether something unknown is anywhere in the value. */
export function hasUnknown(value: Value): boolean {
  return anywhere(value, (part) => part instanceof Unknown);
}

function anywhere(value: Value, test: (part: Value) => boolean): boolean {
  if (test(value)) {
    return true;
  }
  if (value instanceof Secret) {
    return anywhere(value.value, test);
  }
  if (Array.isArray(value)) {
    return value.some((part) => anywhere(part, test));
  }
  return isMap(value) && Object.values(value).some((part) => anywhere(part, test));
}

/** Whether two values are the same but for secret marks. An unknown value equals nothing, not even another. */
export function equal(left: Value, right: Value): boolean {
  const [a, b] = [reveal(left), reveal(right)];
  if (a instanceof Unknown || b instanceof Unknown) {
    return false;
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((part, index) => equal(part, b[index] ?? null));
  }
  if (a instanceof Asset || b instanceof Asset) {
    return a instanceof Asset && b instanceof Asset && sameAsset(a, b);
  }
  if (isMap(a)) {
    if (!isMap(b) || Object.keys(a).length !== Object.keys(b).length) {
      return false;
    }
    return Object.entries(a).every(([key, value]) => Object.hasOwn(b, key) && equal(value, b[key] ?? null));
  }
  return a === b;
}

/** The engine leaves contents out of most calls and sends the hash always. */
function sameAsset(a: Asset, b: Asset): boolean {
  return a.wire[signatureKey] === b.wire[signatureKey] && a.wire.hash === b.wire.hash;
}
