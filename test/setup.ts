// A rejection that no test awaits must fail the run, or an assertion inside an un-awaited apply would pass unseen.
process.on("unhandledRejection", (reason) => {
  throw reason;
});
