import type { AgentSeen, Observation } from "../observation.ts";
import type { WireState } from "./change.ts";
import type { Noted, PhaseName } from "./journal.ts";

type Seen = Pick<Observation, "agents" | "ciliumNodes">;

/** Tells from one look at the agents after the other what phase a change is in. */
export class AgentPhases {
  private readonly before: ReadonlySet<string>;
  private readonly keyOnly: boolean;
  private readonly to: WireState;
  private readonly noted = new Set<PhaseName>();
  private lastLook: number;

  constructor(from: WireState | null, to: WireState, seen: Seen, at: number) {
    this.to = to;
    this.before = new Set(seen.agents.map(runOf));
    // Agents take up a new key as it is; anything else only when they start.
    const without = (state: WireState | null) => JSON.stringify(state && { ...state, keyId: null, cilium: null });
    this.keyOnly =
      from?.encryption === "ipsec" &&
      from.keyId !== to.keyId &&
      without(from) === without(to) &&
      from.cilium === to.cilium;
    this.lastLook = at;
  }

  /** The phases that this look shows for the first time. */
  look(seen: Seen, at: number): Noted[] {
    const since = this.lastLook;
    this.lastLook = at;
    const started = (agents: AgentSeen[]): number[] => agents.map((agent) => Date.parse(agent.startedAt ?? "") || 0);
    const restarted = seen.agents.filter((agent) => agent.terminating || !this.before.has(runOf(agent)));
    const fresh = new Set(
      this.keyOnly ? this.onKey(seen) : seen.agents.filter((agent) => this.isNew(agent)).map(({ node }) => node),
    );
    const ready = this.keyOnly ? [] : seen.agents.filter((agent) => this.isNew(agent));
    // Kubernetes tells whole seconds: one that started within a second has done so at its end.
    const first = Math.min(at, Math.max(since, Math.min(...started(ready)) + 1000));
    const last = Math.min(at, Math.max(since, ...started(ready)));
    const nodes = new Set(seen.agents.map(({ node }) => node));
    const all = nodes.size > 0 && [...nodes].every((node) => fresh.has(node));
    return [
      ...this.once("first agent restarted", at, restarted.length > 0),
      ...this.once("first agent on the new mode", ready.length > 0 ? first : at, fresh.size > 0),
      // The last moment at which one certainly was not.
      ...this.once("last agent off the old mode", last, all),
      ...this.once("last agent on the new mode", at, all),
    ];
  }

  private once(name: PhaseName, at: number, is: boolean): Noted[] {
    if (!is || this.noted.has(name)) return [];
    this.noted.add(name);
    return [{ name, at }];
  }

  private isNew(agent: AgentSeen): boolean {
    return agent.ready && !agent.terminating && !this.before.has(runOf(agent));
  }

  private onKey({ ciliumNodes }: Seen): string[] {
    return ciliumNodes.filter(({ encryptionKey }) => encryptionKey === this.to.keyId).map(({ name }) => name);
  }
}

/** One start of one agent. */
function runOf({ pod, startedAt }: AgentSeen): string {
  return `${pod} ${startedAt}`;
}
