import type { EncryptionMode } from "../components/settings.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** What a mode needs of the kernel that the nodes run on: modules, and a try that shows whether they work. */
interface Need {
  /** Each with the option that builds it. */
  modules: Record<string, string>;
  /** Arguments of `ip`, run in a network namespace that goes with it. */
  tries: string[];
  other: string;
}

/** Sources: Cilium's "System Requirements" page, sections on WireGuard and IPsec. */
const NEEDS: Record<Exclude<EncryptionMode, "none">, Need> = {
  wireguard: {
    modules: { wireguard: "CONFIG_WIREGUARD" },
    tries: ["link", "add", "wirecloak0", "type", "wireguard"],
    other: "Linux 5.6 or newer with CONFIG_WIREGUARD",
  },
  ipsec: {
    modules: { esp4: "CONFIG_INET_ESP", xfrm_user: "CONFIG_XFRM_USER", gcm: "CONFIG_CRYPTO_GCM" },
    // The key is a pattern and protects nothing.
    tries: [
      ...["xfrm", "state", "add", "src", "192.0.2.1", "dst", "192.0.2.2", "proto", "esp", "spi", "1", "mode", "tunnel"],
      ...["aead", "rfc4106(gcm(aes))", `0x${"00".repeat(20)}`, "128"],
    ],
    other: "a kernel with CONFIG_XFRM_USER, CONFIG_INET_ESP and CONFIG_CRYPTO_GCM",
  },
};

/** Where a module stands: `loaded` or built in; `available` to be loaded; `missing`; `unknown` where nothing tells. */
export type ModuleState = "loaded" | "available" | "missing" | "unknown";

/** What came of trying: `works`; `fails`: the kernel has it not; `untried`: no right to, or no tool for it. */
export interface Try {
  outcome: "works" | "fails" | "untried";
  said: string;
}

/** Whether the kernel that the nodes will run on can do what the mode needs. For kind that is this machine's own. */
export async function checkKernel(mode: EncryptionMode, probes: Probes): Promise<Finding> {
  if (mode === "none") return ok("kernel", "Nothing is needed of it without encryption.");
  return judgeKernel(mode, probes.kernel, await tryKernel(mode, probes), moduleStates(mode, probes));
}

/** Tries it in a network namespace of its own, which ends with the command; may load a module, as the agents would. */
export async function tryKernel(
  mode: Exclude<EncryptionMode, "none">,
  { run, root }: Pick<Probes, "run" | "root">,
): Promise<Try> {
  const namespace = root ? ["--net"] : ["--user", "--map-root-user", "--net"];
  const { code, stderr, failure } = await run("unshare", [...namespace, "ip", ...NEEDS[mode].tries]);
  const said = stderr.trim().split("\n").at(-1) ?? "";
  if (code === 0) return { outcome: "works", said };
  const noRight = failure !== undefined || /^unshare:|not permitted/i.test(said);
  return { outcome: noRight ? "untried" : "fails", said: said || (failure ?? "") };
}

/** Where a mode's modules stand: what the kernel lists, what was built with it, what is on the disk, what its configuration says. */
export function moduleStates(
  mode: Exclude<EncryptionMode, "none">,
  { read, kernel }: Pick<Probes, "read" | "kernel">,
): Map<string, ModuleState> {
  const loaded = read("/proc/modules") ?? "";
  const folder = `/lib/modules/${kernel}`;
  const builtin = read(`${folder}/modules.builtin`);
  const onDisk = read(`${folder}/modules.dep`);
  const config = read("/proc/config.gz") ?? read(`/boot/config-${kernel}`);
  const state = (name: string, option: string): ModuleState => {
    // A file name may have - where the module's name has _.
    const file = new RegExp(`/${name.replaceAll("_", "[-_]")}\\.ko`);
    if (new RegExp(`^${name} `, "m").test(loaded) || file.test(builtin ?? "")) return "loaded";
    if (file.test(onDisk ?? "")) return "available";
    const built = config === undefined ? undefined : (new RegExp(`^${option}=([ym])$`, "m").exec(config)?.[1] ?? "n");
    if (built === "y") return "loaded";
    // Built as a module but not on the disk: a container sees its host's kernel, and not the folder of its modules.
    if (built === "m") return onDisk === undefined ? "available" : "missing";
    return built === "n" || onDisk !== undefined ? "missing" : "unknown";
  };
  return new Map(Object.entries(NEEDS[mode].modules).map(([name, option]) => [name, state(name, option)]));
}

/** Judges a kernel by a try, and by its modules where no try was possible. */
export function judgeKernel(
  mode: Exclude<EncryptionMode, "none">,
  kernel: string,
  tried: Try,
  modules: ReadonlyMap<string, ModuleState>,
): Finding {
  const what = `kernel for ${mode}`;
  const inState = (...states: ModuleState[]) =>
    [...modules].filter(([, state]) => states.includes(state)).map(([name]) => name);
  if (tried.outcome === "works") return ok(what, `Linux ${kernel} does it; tried in a network namespace.`);

  const load = `sudo modprobe -a ${[...modules.keys()].join(" ")}`;
  const another = `use ${NEEDS[mode].other}; or the rehearsal, which needs neither: make up STACK=rehearsal`;
  if (tried.outcome === "fails") {
    const evidence = `Linux ${kernel} cannot do it; tried in a network namespace: ${tried.said}`;
    return error(what, evidence, inState("available").length > 0 ? load : another);
  }
  const missing = inState("missing");
  if (missing.length > 0) return error(what, `Linux ${kernel} has no module ${missing.join(", ")}.`, another);
  const unloaded = inState("available");
  if (unloaded.length > 0)
    return warning(what, `Linux ${kernel} has ${unloaded.join(", ")}, not loaded; nodes cannot load modules.`, load);
  const unknown = inState("unknown");
  if (unknown.length === 0) return ok(what, `Linux ${kernel} has ${[...modules.keys()].join(", ")}.`);
  return warning(
    what,
    `Whether Linux ${kernel} has ${unknown.join(", ")} cannot be told without root (${tried.said}).`,
    load,
  );
}
