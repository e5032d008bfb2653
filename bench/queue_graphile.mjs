// graphile-worker as its users run it: node queue_graphile.mjs setup|produce|work URL [count callers | concurrency]
import { makeWorkerUtils, run } from "graphile-worker";

const [mode, connectionString, first, second] = process.argv.slice(2);

async function produce(count, callers) {
  const utils = await makeWorkerUtils({ connectionString, maxPoolSize: 16 });
  const one = async () => {
    for (let i = 0; i < count / callers; ++i) await utils.addJob("nothing", { text: "nothing to do" });
  };
  await Promise.all(Array.from({ length: callers }, one));
  await utils.release();
}

if (mode === "setup") {
  const utils = await makeWorkerUtils({ connectionString });
  await utils.migrate();
  await utils.release();
} else if (mode === "produce") {
  await produce(Number(first), Number(second));
} else {
  const runner = await run({
    connectionString,
    concurrency: Number(first),
    maxPoolSize: 20,
    pollInterval: 100,
    noHandleSignals: true,
    taskList: { nothing: async () => {} },
  });
  process.stdin.resume().on("end", () => runner.stop().then(() => process.exit(0)));
}
