// Preloaded into every Node.js program of an update: from TORTURE_JUMP_AT (milliseconds since 1970) on, the clock is TORTURE_JUMP seconds off.
const at = Number(process.env.TORTURE_JUMP_AT);
const by = Number(process.env.TORTURE_JUMP) * 1000;
const now = () => {
  const real = RealDate.now();
  return real + (real >= at ? by : 0);
};

const RealDate = globalThis.Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (_, when, target) => Reflect.construct(RealDate, when.length === 0 ? [now()] : when, target),
  apply: () => new RealDate(now()).toString(),
  get: (_, name) => (name === "now" ? now : Reflect.get(RealDate, name)),
});
