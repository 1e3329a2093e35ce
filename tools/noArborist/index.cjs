// The real one is a sixth of the time in which the program loads, and a hundred packages to trust.
exports.Arborist = class {
  constructor() {
    throw new Error(
      "Wirecloak's install leaves @npmcli/arborist out, which serialising a function needs (tools/noArborist)",
    );
  }
};
