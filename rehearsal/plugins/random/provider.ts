import { type Provider, RequestError, type Resource } from "../plugin/provider.ts";
import { randomBytes } from "./randomBytes.ts";
import { randomPassword } from "./randomPassword.ts";

const resources: Readonly<Record<string, Resource>> = {
  "random:index/randomBytes:RandomBytes": randomBytes,
  "random:index/randomPassword:RandomPassword": randomPassword,
};

/** Stands in for pulumi-resource-random where it cannot be had. */
export const random: Provider = {
  name: "random",
  version: "4.21.2",
  resource(type) {
    const resource = resources[type];
    if (resource === undefined) {
      throw new RequestError(
        `the stand-in for random knows RandomBytes and RandomPassword only; the program asks for ${type}`,
      );
    }
    return resource;
  },
};
