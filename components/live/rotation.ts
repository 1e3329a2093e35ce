import coerce from "semver/functions/coerce.js";
import { secondsOf } from "../duration.ts";
import { MAX_KEY_ID, nextKeyId } from "../encryption/ipsecKey.ts";
import type { Settings } from "../settings.ts";
import { NAMESPACE, setCommand } from "../settingsFields.ts";
import type { Problem } from "../userError.ts";
import type { Live } from "./live.ts";

const KEY_ID = `${NAMESPACE}:ipsec.keyId`;

/** Seconds: an agent looks once a minute for keys that have served their time. */
const RECLAIM = 60;

/** Why the IPsec key cannot become what the settings want; judged by the live Secret and the agents, never by the state. Empty where no key is in use. */
export function rotationProblems(settings: Settings, live: Live, now: Date): Problem[] {
  const announced = announcedIds(live);
  if (settings.encryption !== "ipsec" || announced.length === 0) return [];
  const wanted = settings.ipsec.keyId;
  const current = live.secret?.keyId ?? null;
  if (current === null) return withoutSecret(live, wanted, announced);
  if (wanted === current) return keyLength(settings, live);
  // What else is wrong can only be said of a step that could be taken.
  if (wanted !== nextKeyId(current)) return [wrongStep(live, wanted, current, announced)];
  return [
    ...keyLength(settings, live),
    ...editedByHand(live, wanted, current),
    ...inFlight(settings, live, now, current, announced),
    ...versions(settings, live, wanted),
    ...nodesDown(settings, live, wanted),
  ];
}

/** The ids of IPsec keys that nodes publish, without 0 (no encryption) and 255 (WireGuard); ascending, each once. */
export function announcedIds({ ciliumNodes }: Pick<Live, "ciliumNodes">): number[] {
  const ids = ciliumNodes.map(({ key }) => key).filter((key) => key >= 1 && key <= MAX_KEY_ID);
  return [...new Set(ids)].sort((a, b) => a - b);
}

/** When the key before the live one is gone from every node; null where no node had one, or that cannot be told. */
export function oldKeyGoneAt(settings: Settings, live: Live): Date | null {
  const changed = changeOf(live);
  if (changed === null) return null;
  // An agent that started later has read only the new key.
  const before = live.agents.some(({ startedAt }) => startedAt !== null && Date.parse(startedAt) < changed);
  if (!before) return null;
  const duration = secondsOf(settings.ipsec.keyRotationDuration);
  // Agents take the new key with a delay of up to a tenth of that (cilium/cilium#44263).
  return new Date(changed + 1000 * (1.1 * duration + RECLAIM));
}

/** When the key in the Secret came there: what was put back, or annotated, is no new key to the record that has seen it before. */
function changeOf({ secret, record }: Live): number | null {
  const known = record?.key && record.key.digest === secret?.digest ? record.key.since : null;
  const times = [secret?.by?.time, known].filter((time) => time !== null && time !== undefined);
  return times.length > 0 ? Math.min(...times.map((time) => Date.parse(time))) : null;
}

function withoutSecret(live: Live, wanted: number, announced: number[]): Problem[] {
  const [only, ...others] = announced;
  // The key of that id is in the state: the update puts it back as it was.
  if (others.length === 0 && only === wanted) return [];
  const what =
    live.secretUnread !== null
      ? `The Secret cilium-ipsec-keys cannot be read (${live.secretUnread})`
      : live.secret === null
        ? "The Secret cilium-ipsec-keys is missing"
        : "The Secret cilium-ipsec-keys holds no key that Cilium could read";
  const fix =
    live.secretUnread !== null
      ? "kubectl auth can-i get secret cilium-ipsec-keys --namespace NAMESPACE   # give this kubeconfig's user that right"
      : `${setKeyId(only ?? wanted)} && pulumi up   # puts it back; then rotate`;
  return [
    {
      key: KEY_ID,
      value: wanted,
      message: `${what}, while the agents use key ${announced.join(" and ")}. A key is rotated only from one that is in place.`,
      ...(live.secretUnread === null && { allowed: `${only ?? wanted}, until the Secret is back` }),
      fix,
    },
  ];
}

function wrongStep(live: Live, wanted: number, current: number, announced: number[]): Problem {
  const next = nextKeyId(current);
  const by = live.secret?.by;
  const since = by ? ` (${by.manager}${by.time === null ? "" : `, ${by.time}`})` : "";
  const back = wanted % MAX_KEY_ID === (current - 1 + MAX_KEY_ID) % MAX_KEY_ID;
  const agents =
    announced.length === 1 && announced[0] === current ? "" : ` The agents announce ${announced.join(", ")}.`;
  const message = back
    ? `This goes back: the Secret holds key ${current} already${since}, and nodes that have it drop what is encrypted with ${wanted}. To get rid of a key, go on to the next one: rollback is key ${next}.${agents}`
    : `The live Secret holds key ${current}${since}. Agents know only two neighbouring keys, so an id steps by exactly one, and 1 follows 15.${agents}`;
  return {
    key: KEY_ID,
    value: wanted,
    message,
    allowed: `${current} (the key in place) or ${next} (a rotation)`,
    fix: setKeyId(next),
  };
}

function keyLength({ ipsec }: Settings, { secret }: Live): Problem[] {
  const bits = secret?.keyBits ?? ipsec.keyBits;
  if (bits === ipsec.keyBits) return [];
  const mode = `${NAMESPACE}:encryption`;
  return [
    {
      key: `${NAMESPACE}:ipsec.keyBits`,
      value: ipsec.keyBits,
      message: `Agents use a key of ${bits} bits, and take none of another length until they restart; nodes with keys of two lengths cannot talk. By way of WireGuard no node ever has both.`,
      allowed: `${bits} while IPsec is in use`,
      fix: `${setCommand(mode, "wireguard")} && pulumi up && ${setCommand(mode, "ipsec")} && pulumi up`,
    },
  ];
}

function editedByHand({ secret, record }: Live, wanted: number, current: number): Problem[] {
  const known = record?.digests.secret;
  if (!known || !secret || known === secret.digest) return [];
  const by = secret.by;
  const who = by ? ` by ${by.manager}${by.time === null ? "" : ` at ${by.time}`}` : "";
  return [
    {
      key: KEY_ID,
      value: wanted,
      message: `The key in Secret cilium-ipsec-keys is not the one that the last complete update left there; it was changed${who}, by hand or by an update that did not end. Put it in order first, then rotate.`,
      allowed: `${current}, until an update has ended`,
      fix: `${setKeyId(current)} && pulumi up   # puts our key ${current} in place; then ${setKeyId(wanted)}`,
    },
  ];
}

function inFlight(settings: Settings, live: Live, now: Date, current: number, announced: number[]): Problem[] {
  const wanted = settings.ipsec.keyId;
  const late = live.ciliumNodes.filter(({ key }) => key !== current).map(({ name, key }) => `${name} (${key})`);
  if (announced.length > 1 || late.length > 0) {
    return [
      {
        key: KEY_ID,
        value: wanted,
        message: `A rotation to key ${current} is in flight: ${late.join(", ")} announce another one. A third key would cut them off.`,
        allowed: `${current}, until all nodes announce it`,
        fix: "kubectl get ciliumnodes --output custom-columns=NODE:.metadata.name,KEY:.spec.encryption.key",
      },
    ];
  }
  const free = oldKeyGoneAt(settings, live);
  if (free === null || free <= now) return [];
  const seconds = Math.ceil((free.getTime() - now.getTime()) / 1000);
  return [
    {
      key: KEY_ID,
      value: wanted,
      message: `The rotation to key ${current} is in flight: nodes keep the key before it for keyRotationDuration (${settings.ipsec.keyRotationDuration}) and up to a minute more. The next rotation is free at ${free.toISOString()}, in ${seconds} s.`,
      allowed: `${current}, until then`,
      fix: `wait ${seconds} s, then again`,
    },
  ];
}

function versions({ cilium }: Settings, { agents }: Live, wanted: number): Problem[] {
  const running = [...new Set(agents.flatMap(({ version }) => version ?? []))].sort();
  const about = { key: KEY_ID, value: wanted };
  if (running.length > 1) {
    const message = `Nodes run different versions of Cilium (${running.join(", ")}), which do not all rotate alike. Finish the upgrade first.`;
    return [{ ...about, message, fix: `kubectl rollout status daemonset/cilium --namespace ${cilium.namespace}` }];
  }
  const [only] = running;
  if (only === undefined || coerce(only)?.version === coerce(cilium.version)?.version) return [];
  const message = `This update would also change Cilium from ${only} to ${cilium.version}. Cilium does not rotate keys during an upgrade: do the one, then the other.`;
  return [{ ...about, message, fix: setCommand(`${NAMESPACE}:cilium.version`, only) }];
}

function nodesDown({ ipsec }: Settings, { nodes, agents }: Live, wanted: number): Problem[] {
  const up = new Set(agents.filter(({ ready }) => ready).map(({ node }) => node));
  const down = nodes
    .filter(({ name, ready }) => (!ready || !up.has(name)) && !ipsec.rotateDespite.includes(name))
    .map(({ name, ready }) => ({ name, why: ready ? "its agent is not ready" : "it is not ready" }));
  if (down.length === 0) return [];
  const names = down.map(({ name, why }) => `${name} (${why})`).join(", ");
  return [
    {
      key: KEY_ID,
      value: wanted,
      message: `A node is down and would miss the new key: ${names}. Once the old key is gone nobody reaches it until its agent has started anew.`,
      allowed: `a rotation with all nodes up, or in spite of nodes named in ${NAMESPACE}:ipsec.rotateDespite`,
      fix: down
        .map(({ name }, index) =>
          setCommand(`${NAMESPACE}:ipsec.rotateDespite[${ipsec.rotateDespite.length + index}]`, name),
        )
        .join(" && "),
    },
  ];
}

function setKeyId(id: number): string {
  return setCommand(KEY_ID, String(id));
}
