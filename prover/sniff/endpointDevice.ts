import { z } from "zod";

/** Asks a node for the way to a pod of its own. */
export function podRouteCommand(ip: string): string[] {
  return ["ip", "-j", "route", "get", ip];
}

/** Cilium's agent knows the device of each pod; where pods have no routes of their own, the kernel does not. */
export const ENDPOINTS_COMMAND = ["cilium-dbg", "endpoint", "list", "-o", "json"];

const routes = z.array(z.looseObject({ dev: z.string().optional() }));
const endpoints = z.array(
  z.looseObject({
    status: z.looseObject({
      networking: z
        .looseObject({
          "interface-name": z.string().optional(),
          addressing: z.array(z.looseObject({ ipv4: z.string().optional(), ipv6: z.string().optional() })).default([]),
        })
        .optional(),
    }),
  }),
);

/** The pod's device as the route names it; null where the route leads to a device of all pods. */
export function deviceInRoute(output: string): string | null {
  const dev = read(routes, output)?.[0]?.dev;
  return dev?.startsWith("lxc") ? dev : null;
}

/** The pod's device as the agent names it; null where it does not know the pod. */
export function deviceInEndpoints(output: string, ip: string): string | null {
  const endpoint = read(endpoints, output)?.find(({ status }) =>
    status.networking?.addressing.some(({ ipv4, ipv6 }) => ipv4 === ip || ipv6 === ip),
  );
  return endpoint?.status.networking?.["interface-name"] || null;
}

function read<T>(shape: z.ZodType<T>, text: string): T | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
