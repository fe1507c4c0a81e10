/** The terminal's way to the keeper: its own socket, for as long as one command needs it. */
import { connectChannel, type Channel } from '@lazaret/system/channel.ts';
import { layoutOf } from '@lazaret/system/layout.ts';

/** Whoever waits at a terminal wants to hear soon that nothing runs. */
const connectMs = 2_000;

/** Connects, does the work and lets go. Rejects with a Failure for people where nothing runs on that data directory, and with that of the work. */
export async function withKeeper<Answer>(data: string, work: (channel: Channel) => Promise<Answer>, timeoutMs = connectMs): Promise<Answer> {
  const channel = await connectChannel(layoutOf(data).sockets.terminal, timeoutMs);
  try {
    return await work(channel);
  } finally {
    channel.close();
  }
}
