import { FAMILIES } from "./addresses.ts";
import { errors, FRAGMENTS, ODD_ERRORS } from "./cases/errors.ts";
import { LINK, nodes } from "./cases/nodes.ts";
import { ODD_OVERLAY, overlay } from "./cases/overlay.ts";
import { bare, encrypted, TAGGED, tunnels } from "./cases/pods.ts";
import { BEHIND_OPTIONS, world } from "./cases/world.ts";
import type { Case } from "./meanings.ts";

/** Every form of packet that a guard decides about: plaintext, ciphertext, what a cluster needs, and what is nobody's business here. */
export const CORPUS: readonly Case[] = [
  ...FAMILIES.flatMap((family) =>
    [overlay, bare, tunnels, encrypted, nodes, errors, world]
      .flatMap((part) => part(family))
      .map((packet) => ({ ...packet, what: `${packet.what} (${family.family})` })),
  ),
  ...[...ODD_OVERLAY, ...TAGGED, ...LINK, ...ODD_ERRORS, ...FRAGMENTS, ...BEHIND_OPTIONS],
];
