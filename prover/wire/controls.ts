import { controlFrame } from "./controlFrame.ts";
import type { Egress } from "./device.ts";
import { markerText } from "./markers.ts";
import type { ControlSeen } from "./observation.ts";

/** A marker that a node sends in clear below Cilium's encryption, so that a capture that sees nothing can be told from a clean wire. */
export interface Control {
  from: string;
  form: ControlSeen["form"];
  marker: string;
}

/** Frames of a form in one sending; there is one before and one after the markers. */
export const CONTROL_FRAMES = 2;

/** Default ports of Cilium's overlays. */
const OVERLAY_PORT = { vxlan: 8472, geneve: 6081 };

/** The controls of every node: one of each form that a leak could have. */
export function plannedControls(nodes: readonly string[], overlay: "vxlan" | "geneve" | null): Control[] {
  const forms: ControlSeen["form"][] = overlay ? ["bare", overlay] : ["bare"];
  return nodes.flatMap((from) => forms.map((form) => ({ from, form, marker: markerText() })));
}

export interface ControlSender extends Egress {
  nodeIp: string;
  podIp: string;
  /** The address of a pod elsewhere. */
  peerPodIp: string;
  markerPort: number;
}

/** Writes frames, given as octal escapes, to a device as they are. One that fails ends it. */
const SCRIPT = `device=$1 times=$2
shift 2
while [ "$times" -gt 0 ]; do
  for frame in "$@"; do
    printf "$frame" | timeout 5 socat -u - "INTERFACE:$device" || exit 1
  done
  times=$((times - 1))
done`;

/** Milliseconds for such a command. */
export const CONTROL_TIMEOUT = 15_000;

/** Sends each of a node's controls. */
export function controlCommand(controls: readonly Control[], sender: ControlSender): string[] {
  const frames = controls.map(({ form, marker }) =>
    controlFrame({
      form,
      marker,
      mac: sender.mac,
      nodeIp: sender.nodeIp,
      innerSrc: sender.podIp,
      innerDst: sender.peerPodIp,
      markerPort: sender.markerPort,
      overlayPort: form === "bare" ? 0 : OVERLAY_PORT[form],
    }),
  );
  return ["sh", "-c", SCRIPT, "controls", sender.device, String(CONTROL_FRAMES), ...frames.map(octal)];
}

/** Bytes as an argument of printf: every one escaped, so none means anything else. */
export function octal(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
