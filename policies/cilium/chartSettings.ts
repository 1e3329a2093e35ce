/** A value of the chart's `encryption` block, and the minor versions in which it does anything. */
export interface ChartSetting {
  /** Dotted path below `encryption`. */
  path: string;
  /** The first minor version that knows it, and the last; absent: from 1.16 on, up to the newest. */
  from?: number;
  to?: number;
  /** What to do in the other versions. */
  instead?: string;
  /** Everything below belongs to it. */
  isTree?: true;
}

/** The minor versions that this table is about. Older charts end with an error on most of it, newer ones are like the newest here (read in 1.21.0-pre). */
export const OLDEST = 16;
export const NEWEST = 20;

const EGRESS = "it is strictMode.egress there";
const FLAT = "it is strictMode.enabled and strictMode.cidr there";

/** Each chart's values.yaml, values.schema.json and what it renders; a value that it has and no template reads is none of its settings. */
export const SETTINGS: readonly ChartSetting[] = [
  { path: "enabled" },
  { path: "type" },
  { path: "nodeEncryption" },
  { path: "ipsec.keyFile" },
  { path: "ipsec.mountPath" },
  { path: "ipsec.secretName" },
  { path: "ipsec.keyWatcher" },
  { path: "ipsec.keyRotationDuration" },
  { path: "ipsec.interface", to: 19, instead: "no template reads it there" },
  { path: "ipsec.encryptedOverlay", to: 17, instead: "the overlay is always encrypted there" },
  { path: "wireguard.persistentKeepalive" },
  { path: "wireguard.userspaceFallback", to: 16, instead: "there is no WireGuard in user space there" },
  { path: "strictMode.enabled", to: 19, instead: EGRESS },
  { path: "strictMode.cidr", to: 19, instead: EGRESS },
  { path: "strictMode.allowRemoteNodeIdentities", to: 19, instead: EGRESS },
  { path: "strictMode.egress.enabled", from: 19, instead: FLAT },
  { path: "strictMode.egress.cidr", from: 19, instead: FLAT },
  { path: "strictMode.egress.allowRemoteNodeIdentities", from: 19, instead: FLAT },
  { path: "strictMode.ingress.enabled", from: 19, instead: "there is no strict mode for incoming traffic there" },
  { path: "ztunnel", from: 19, isTree: true },
];

/** The setting that a path below `encryption` is, in whatever version. */
export function settingAt(path: string): ChartSetting | undefined {
  return SETTINGS.find((setting) => path === setting.path || (setting.isTree && path.startsWith(`${setting.path}.`)));
}

/** Whether a minor version does anything with a setting. */
export function isKnownIn({ from = OLDEST, to = NEWEST }: ChartSetting, minor: number): boolean {
  return from <= minor && Math.min(minor, NEWEST) <= to;
}
