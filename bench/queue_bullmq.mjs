// BullMQ as its users run it: node queue_bullmq.mjs produce|work PORT [count callers | concurrency]. The worker counts
// what it has done under the key `done`.
import { Queue, Worker } from "bullmq";
import IORedis from "ioredis";

const [mode, port, first, second] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };

async function produce(count, callers) {
  const queue = new Queue("bench", { connection });
  const one = async () => {
    for (let i = 0; i < count / callers; ++i)
      await queue.add("nothing", { text: "nothing to do" }, { removeOnComplete: true });
  };
  await Promise.all(Array.from({ length: callers }, one));
  await queue.close();
}

if (mode === "produce") {
  await produce(Number(first), Number(second));
} else {
  const counter = new IORedis(connection);
  let done = 0;
  const worker = new Worker("bench", async () => {}, { connection, concurrency: Number(first) });
  worker.on("completed", () => { ++done; });
  const report = setInterval(() => {
    counter.incrby("done", done);
    done = 0;
  }, 20);
  process.stdin.resume().on("end", async () => {
    clearInterval(report);
    await worker.close();
    process.exit(0);
  });
}
