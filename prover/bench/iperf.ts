import { z } from "zod";

/** Serves tests one after the other. Its buffer is a file, and the probe's own file system is read-only. */
export function serverCommand(port: number, limit: number): string[] {
  return inSharedMemory(["timeout", String(limit), "iperf3", "-s", "-p", String(port), "--forceflush"]);
}

/** One TCP stream for some seconds; the answer is a JSON document. */
export function clientCommand(address: string, port: number, seconds: number): string[] {
  return inSharedMemory(["iperf3", "-c", address, "-p", String(port), "-t", String(seconds), "-J"]);
}

function inSharedMemory(command: string[]): string[] {
  return ["sh", "-c", 'TMPDIR=/dev/shm exec "$@"', "iperf3", ...command];
}

/** The server's word that it waits for a client. */
export function isServing(output: string): boolean {
  return output.includes("Server listening on");
}

const result = z.looseObject({
  error: z.string().optional(),
  end: z.looseObject({ sum_received: z.looseObject({ bits_per_second: z.number() }).optional() }).optional(),
});

/** Gbit/s as the receiver counted them, or why there are none. */
export function throughput(output: string): number | { failed: string } {
  let document: unknown;
  try {
    document = JSON.parse(output);
  } catch {
    return { failed: output.trim().split("\n").at(-1) || "iperf3 said nothing" };
  }
  const parsed = result.safeParse(document).data;
  const bits = parsed?.end?.sum_received?.bits_per_second;
  return bits === undefined || parsed?.error ? { failed: parsed?.error ?? "iperf3 counted nothing" } : bits / 1e9;
}

/** Asks for the MTU of a pod's own device. */
export const MTU_COMMAND = ["ip", "-j", "link", "show", "eth0"];

/** Null where the answer names none. */
export function readMtu(output: string): number | null {
  try {
    return z.array(z.looseObject({ mtu: z.number() })).parse(JSON.parse(output))[0]?.mtu ?? null;
  } catch {
    return null;
  }
}
