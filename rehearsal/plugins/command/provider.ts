import { type Provider, RequestError } from "../plugin/provider.ts";
import { localCommand } from "./localCommand.ts";

/** Stands in for pulumi-resource-command where it cannot be had. */
export const command: Provider = {
  name: "command",
  version: "1.2.1",
  resource(type) {
    if (type !== "command:local:Command") {
      throw new RequestError(`the stand-in for command knows local.Command only; the program asks for ${type}`);
    }
    return localCommand;
  },
};
