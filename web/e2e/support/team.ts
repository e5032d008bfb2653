/** Who works at a small company, what they ask its agents, and what those answer. */
import type { Turn } from "./model";

export const people = [
  { email: "ada@example.com", name: "Ada Lovelace", role: "developer" },
  { email: "grace@example.com", name: "Grace Hopper", role: "operator" },
  { email: "alan@example.com", name: "Alan Turing", role: "viewer" },
] as const;

const ada = "ada@example.com";
const grace = "grace@example.com";

export interface Question {
  by: string;
  agent: string;
  text: string;
  priority?: "low" | "high" | "urgent";
  answer?: string;
}

export const questions: Question[] = [
  {
    by: ada,
    agent: "security_expert",
    text: "How do I stop SQL injection in our order form?",
    priority: "high",
  },
  {
    by: ada,
    agent: "devops_engineer",
    text: "Which index helps a range query over two columns?",
    answer:
      "One over both, the column that is compared for equality first: `CREATE INDEX ON orders (customer_id, placed_at);`",
  },
  {
    by: grace,
    agent: "data_scientist",
    text: "Is the difference between the two groups significant?",
    answer:
      "Not at 5%: Welch's test gives t = 1.71 and p = 0.09 for 412 and 398 orders. Let it run for another two weeks.",
  },
  {
    by: ada,
    agent: "optimizer",
    text: "How do I keep a list smooth on an old phone?",
    answer:
      "Draw only the rows in sight, give every row one height, and keep images out of the way until scrolling rests.",
  },
  {
    by: ada,
    agent: "reviewer",
    text: "Review the sign-up form for people who use a keyboard",
    priority: "high",
    answer:
      "Three things: the focus ring is gone from the plan cards, the date opens on hover alone, and errors are not read out.",
  },
  {
    by: grace,
    agent: "blockchain_developer",
    text: "What does a reentrancy guard cost?",
    priority: "low",
    answer: "About 2,400 gas a call with transient storage, some 7,100 with a storage slot that is set back.",
  },
  {
    by: grace,
    agent: "researcher",
    text: "Summarise last week's incident reports",
    answer:
      "Two incidents. On Tuesday a certificate ran out at 02:14 and mail waited for 40 minutes; on Friday a deployment was taken back after errors rose to 3%.",
  },
  {
    by: ada,
    agent: "writer",
    text: "Draft release notes for 2.4 from the merged changes",
    answer:
      "**Faster search**, **export as CSV**, and eleven corrections. Nothing has to be changed by hand.",
  },
  {
    by: grace,
    agent: "developer",
    text: "Why does the import of orders stop at 10,000 rows?",
    answer:
      "The driver's limit of 65,535 parameters: 7 a row let 9,362 through. Send them in parts of 5,000.",
  },
  {
    by: ada,
    agent: "archivist",
    text: "When was the ferry seal made, and where is it kept?",
    answer: "In 1281; it hangs from the charter of the crossing, box 14 [1].",
  },
  {
    by: grace,
    agent: "archivist",
    text: "Which charters name the ferry?",
    priority: "high",
    answer: "Three: of 1281, of 1304 and of 1322. Only the first still has its seal [1].",
  },
];

/** Asks a colleague, and so shows what a trace can. */
/** Short ones, for an agent whose performance is looked at. */
export const archiveQuestions: Question[] = [
  [
    "Date the hand of the toll register",
    "The second half of the 14th century: a cursive with looped d and v [1].",
  ],
  ["What does TRAIECTO mean on the seal?", "Of the crossing; it is the ferry's, and not the town's [1]."],
  ["Who may handle the ferry seal?", "Whoever wears gloves; pictures are taken without flash [1]."],
  ["Which box is the charter of 1281 in?", "Box 14 [1]."],
].map(([text = "", answer]) => ({ by: ada, agent: "archivist", text, answer }));

export const planning: Question = {
  by: ada,
  agent: "system_architect",
  text: "Plan the move of the order database to PostgreSQL 17",
  priority: "high",
};
const colleague = "How do we go back if the move of the order database fails?";

/** Never answered while somebody looks: what it is about runs, and what comes after it waits. */
export const endless: Question = {
  by: grace,
  agent: "developer",
  text: "Find out why the nightly import is slow",
};
export const waiting: Question[] = [
  { by: ada, agent: "developer", text: "Add a test for orders without a customer", priority: "low" },
  { by: ada, agent: "developer", text: "Move the mail templates out of the code" },
];

export const talk = "Is bcrypt still good enough for passwords?";

const said = (text: string): Turn[] => [{ text }];

/** What the model says to each of them, turn by turn. */
export const scripts: [about: string, turns: Turn[]][] = [
  ...[...questions, ...archiveQuestions].flatMap(({ text, answer }): [string, Turn[]][] =>
    answer ? [[text, said(answer)]] : [],
  ),
  [
    planning.text,
    [
      { calls: [{ name: "knowledge_search", arguments: { query: "database migration without downtime" } }] },
      { calls: [{ name: "delegate", arguments: { agent_id: "devops_engineer", task: colleague } }] },
      {
        text: "Move it in three steps.\n\n1. **Copy**: a replica on 17 follows the old database.\n2. **Compare**: both answer for a week, and differences are written down.\n3. **Cut over** on a Sunday; the old one follows the new one for a day, so that we can go back within a minute.\n",
      },
    ],
  ],
  [
    colleague,
    said("Let the old database follow the new one for a day; going back is then one change of the address."),
  ],
  [
    talk,
    said(
      "It is, with a cost of 12 or more and a limit of 72 bytes. For what you build now take **Argon2id**: 19 MiB of memory, two passes, one lane.\n\n| setting | memory | passes |\n|---|---|---|\n| at least | 19 MiB | 2 |\n| better | 46 MiB | 1 |\n",
    ),
  ],
];

export const seal = `The oldest seal in the archive is from 1281 and shows a ferry.

## Where it is

Box 14, at the charter of the crossing. The charters of 1304 and 1322 name the ferry as well; their seals are lost.

## What is on it

- a boat with one mast, to the left
- three people and a horse
- the legend \`S' COMMVNITATIS DE TRAIECTO\`

Handle it with gloves, and take pictures without flash.
`;
