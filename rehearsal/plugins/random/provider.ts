import { type Provider, RequestError } from "../plugin/provider.ts";
import { randomBytes } from "./randomBytes.ts";

/** Stands in for pulumi-resource-random where it cannot be had. */
export const random: Provider = {
  name: "random",
  version: "4.21.2",
  resource(type) {
    if (type !== "random:index/randomBytes:RandomBytes") {
      throw new RequestError(`the stand-in for random knows RandomBytes only; the program asks for ${type}`);
    }
    return randomBytes;
  },
};
