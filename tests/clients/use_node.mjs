// What the official clients for Node see, as one JSON object; run by test_official_clients.py beside their packages.
// usage: node use_node.mjs OPENAI_URL ANTHROPIC_URL TOKEN
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const [openaiUrl, anthropicUrl, token] = process.argv.slice(2);
const messages = [{ role: 'user', content: 'hello' }];
const parameters = { type: 'object', properties: {} };
const seen = {};

async function refused(call, kind) {
  try {
    await call();
  } catch (error) {
    if (error instanceof kind) return [error.constructor.name, error.status];
    throw error;
  }
  return 'no error';
}

{
  const client = new OpenAI({ baseURL: openaiUrl, apiKey: token, maxRetries: 0 });
  const chat = (more = {}) => client.chat.completions.create({ model: 'gpt-5-mini', messages, ...more });
  const plain = await chat({ x_unknown: { deep: [1] } });
  seen['openai plain'] = [plain.choices[0].message.content, plain.usage.total_tokens > 0, 'x_last' in plain];
  let text = '';
  for await (const chunk of await chat({ stream: true })) text += chunk.choices[0]?.delta?.content ?? '';
  seen['openai stream'] = text;
  const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather.', parameters } }];
  const call = (await chat({ tools })).choices[0].message.tool_calls[0];
  seen['openai tools'] = [call.function.name, JSON.parse(call.function.arguments)];
  const embedded = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a'] });
  seen['openai embeddings'] = embedded.data[0].embedding.length;
  seen['openai models'] = (await client.models.list()).data.some((model) => model.id === 'gpt-5-mini');
  seen['openai 429'] = await refused(() => chat(), OpenAI.RateLimitError);
  seen['openai 400'] = await refused(() => chat(), OpenAI.BadRequestError);
  const stranger = new OpenAI({ baseURL: openaiUrl, apiKey: 'al_wrong', maxRetries: 0 });
  const ask = () => stranger.chat.completions.create({ model: 'gpt-5-mini', messages });
  seen['openai 401'] = await refused(ask, OpenAI.AuthenticationError);
}
{
  const client = new Anthropic({ baseURL: anthropicUrl, apiKey: token, maxRetries: 0 });
  const body = { model: 'claude-sonnet-4-6', max_tokens: 64, messages };
  const plain = await client.messages.create(body);
  seen['anthropic plain'] = [plain.content[0].text, plain.usage.output_tokens > 0, 'x_last' in plain];
  seen['anthropic stream'] = await client.messages.stream(body).finalText();
  const tools = [{ name: 'weather', description: 'The weather.', input_schema: parameters }];
  const used = (await client.messages.create({ ...body, tools })).content.find((block) => block.type === 'tool_use');
  seen['anthropic tools'] = [used.name, used.input];
  const counted = await client.messages.countTokens({ model: body.model, messages });
  seen['anthropic count'] = counted.input_tokens > 0;
  seen['anthropic 429'] = await refused(() => client.messages.create(body), Anthropic.RateLimitError);
  seen['anthropic 400'] = await refused(() => client.messages.create(body), Anthropic.BadRequestError);
  const stranger = new Anthropic({ baseURL: anthropicUrl, apiKey: 'al_wrong', maxRetries: 0 });
  seen['anthropic 401'] = await refused(() => stranger.messages.create(body), Anthropic.AuthenticationError);
}
console.log(JSON.stringify(seen));
