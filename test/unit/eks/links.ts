import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb.js";

/** What the engine is told of a resource beside its inputs, as URNs. */
export interface Links {
  urn: string;
  parent: string;
  provider: string;
  /** What its inputs come from. */
  dependencies: string[];
  waitsFor: string[];
}

/** The part of Pulumi's mocks that hears of resources, dependencies and all; the mocks of a test are told less. */
interface Monitor {
  registerResource(
    request: RegisterResourceRequest,
    done: (error: unknown, response: RegisterResourceResponse | undefined) => void,
  ): unknown;
}

/** The links of all resources from now on, by type and name. */
export function recordLinks(): Map<string, Links> {
  const links = new Map<string, Links>();
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) =>
    register(request, (error, response) => {
      const dependencies: string[] = [];
      request.getPropertydependenciesMap().forEach((from) => {
        dependencies.push(...from.getUrnsList());
      });
      links.set(`${request.getType()} ${request.getName()}`, {
        urn: response?.getUrn() ?? "",
        parent: request.getParent(),
        provider: request.getProvider().replace(/::[^:]*$/, ""),
        dependencies,
        waitsFor: request.getDependenciesList(),
      });
      done(error, response);
    });
  return links;
}
