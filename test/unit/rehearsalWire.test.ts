import { UserError } from "../../components/userError.ts";
import { checkWireChoice } from "../../rehearsal/lifecycle.ts";

describe("the choice of a wire", () => {
  test.each(["", "auto", "on", "off"])("takes %p", (value) => {
    expect(() => checkWireChoice(value)).not.toThrow();
  });

  test.each(["On", "true", "0"])("refuses %p, and tells what is allowed", (value) => {
    expect(() => checkWireChoice(value)).toThrow(UserError);
    expect(() => checkWireChoice(value)).toThrow(/WIRECLOAK_REHEARSAL_WIRE.*auto, on, off/s);
  });
});
