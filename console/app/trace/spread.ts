/** The picture of the spread as values: what stands in which column, and what leads to what. Drawn by picture.tsx, tested by itself. */
import type { TraceAccess, TraceAnswer, TraceObject } from '@lazaret/pacs/quarantine/requests.ts';
import { counted, moment } from '../words/amounts.ts';
import { personName, plain } from '../words/plain.ts';
import { doorName, sourceName, stateWords, verdictWords } from '../words/verdicts.ts';

export const columnNames = ['Source', 'Came in', 'Objects', 'Opened, taken out or sent'] as const;

export type Tone = 'malicious' | 'malformed' | 'unscannable' | 'clean' | 'plain';

export interface Node {
  readonly key: string;
  readonly column: 0 | 1 | 2 | 3;
  readonly title: string;
  readonly detail: string;
  readonly tone: Tone;
  /** What was asked about, and what leads from and to it. */
  readonly strong: boolean;
  readonly objectIds: ReadonlySet<string>;
  readonly accesses: ReadonlySet<TraceAccess>;
}
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly strong: boolean;
}
export interface Spread {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/** More in one column is one row that says how many: a picture of 300 boxes shows nothing. */
export const columnMax = 10;

/** Sources, messages, objects and readers with what connects them. Subjects stand by themselves, what came with them in groups by what became of it. */
export function spreadOf(answer: TraceAnswer): Spread {
  const nodes = new Map<string, { -readonly [Key in keyof Node]: Node[Key] extends ReadonlySet<infer Item> ? Set<Item> : Node[Key] }>();
  const edges = new Map<string, Edge>();
  const put = (key: string, column: Node['column'], title: string, detail: string, tone: Tone, strong: boolean) => {
    const known = nodes.get(key);
    if (known === undefined) {
      const made = { key, column, title, detail, tone, strong, objectIds: new Set<string>(), accesses: new Set<TraceAccess>() };
      nodes.set(key, made);
      return made;
    }
    known.strong ||= strong;
    return known;
  };
  const connect = (from: string, to: string, strong: boolean): void => {
    edges.set(`${from} ${to}`, { from, to, strong: strong || edges.get(`${from} ${to}`)?.strong === true });
  };
  const subjects = answer.objects.filter(({ relation }) => relation === 'subject');
  const alone = new Set(subjects.slice(0, subjects.length <= columnMax - 2 ? subjects.length : columnMax - 4).map(({ objectId }) => objectId));
  const nodeOfObject = new Map<string, string>();
  for (const object of answer.objects) {
    const message = answer.messages[object.message];
    if (message === undefined) continue;
    const strong = object.relation === 'subject';
    const { source } = message;
    const sourceKey = `source ${source.door} ${source.peer} ${source.address} ${source.callingAETitle}`;
    const messageKey = `message ${object.message}`;
    const objectKey = alone.has(object.objectId) ? `object ${object.objectId}` : `objects ${object.message} ${object.relation} ${object.state} ${object.verdict ?? ''}`;
    const from = put(sourceKey, 0, sourceName(source), [source.callingAETitle, source.address].map((text) => plain(text, 40)).filter((text) => text !== '').join(' · '), 'plain', strong);
    const through = put(messageKey, 1, doorName(source), `${counted(message.objects, 'object')}, ${moment(message.first)}`, 'plain', strong);
    const node = put(objectKey, 2, alone.has(object.objectId) ? titleOf(object) : '', alone.has(object.objectId) ? fateOf(object) : '', toneOf(object), strong);
    for (const each of [from, through, node]) each.objectIds.add(object.objectId);
    nodeOfObject.set(object.objectId, objectKey);
    connect(sourceKey, messageKey, strong);
    connect(messageKey, objectKey, strong);
  }
  for (const { objectId, source, at } of answer.repeats) {
    const to = nodeOfObject.get(objectId);
    if (to === undefined) continue;
    const sourceKey = `source ${source.door} ${source.peer} ${source.address} ${source.callingAETitle}`;
    const messageKey = `repeat ${source.batch}`;
    put(sourceKey, 0, sourceName(source), [source.callingAETitle, source.address].map((text) => plain(text, 40)).filter((text) => text !== '').join(' · '), 'plain', true).objectIds.add(objectId);
    put(messageKey, 1, doorName(source), `the same bytes again, ${moment(at)}`, 'plain', true).objectIds.add(objectId);
    connect(sourceKey, messageKey, true);
    connect(messageKey, to, true);
  }
  for (const node of nodes.values()) {
    if (node.column !== 2 || node.title !== '') continue;
    const first = answer.objects.find(({ objectId }) => node.objectIds.has(objectId))!;
    node.title = `${counted(node.objectIds.size, 'object')}${first.relation === 'source' ? ' near it in time' : first.relation === 'message' ? ' that came with it' : first.relation === 'copy' ? ' of the same name' : ''}`;
    node.detail = fateOf(first);
  }
  for (const access of answer.accesses) {
    const key = `access ${access.kind} ${access.person} ${access.address} ${access.destination}`;
    const node = put(key, 3, access.kind === 'sent' ? plain(access.destination, 60) : plain(access.person, 60), '', 'plain', true);
    node.accesses.add(access);
    for (const objectId of access.objectIds) {
      node.objectIds.add(objectId);
      const from = nodeOfObject.get(objectId);
      if (from !== undefined) connect(from, key, true);
    }
  }
  for (const node of nodes.values()) if (node.column === 3) node.detail = accessDetail([...node.accesses]);
  return fold([...nodes.values()], [...edges.values()]);
}

/** What is over the limit of its column becomes one node. */
function fold(nodes: readonly Node[], edges: readonly Edge[]): Spread {
  const kept: Node[] = [];
  const renamed = new Map<string, string>();
  for (const column of [0, 1, 2, 3] as const) {
    const all = nodes.filter((node) => node.column === column).toSorted((one, other) => Number(other.strong) - Number(one.strong));
    const shown = all.length <= columnMax ? all : all.slice(0, columnMax - 1);
    kept.push(...shown);
    const rest = all.slice(shown.length);
    if (rest.length === 0) continue;
    const key = `rest ${column}`;
    for (const node of rest) renamed.set(node.key, key);
    kept.push({
      key, column, title: `and ${rest.length} more`, detail: 'all in the table below', tone: 'plain', strong: rest.some(({ strong }) => strong),
      objectIds: new Set(rest.flatMap(({ objectIds }) => [...objectIds])), accesses: new Set(rest.flatMap(({ accesses }) => [...accesses])),
    });
  }
  const merged = new Map<string, Edge>();
  for (const { from, to, strong } of edges) {
    const edge = { from: renamed.get(from) ?? from, to: renamed.get(to) ?? to, strong };
    const key = `${edge.from} ${edge.to}`;
    merged.set(key, { ...edge, strong: strong || merged.get(key)?.strong === true });
  }
  return { nodes: kept, edges: [...merged.values()] };
}

function titleOf(object: TraceObject): string {
  return personName(object.patientName) || plain(object.patientID, 40) || `Object ${object.objectId.slice(0, 8)}`;
}
/** "Malicious, taken out of the archive", "Archived". */
export function fateOf(object: TraceObject): string {
  if (object.state === 'held') return `${object.verdict === null ? 'Held' : verdictWords[object.verdict].name}, ${object.withdrawn ? 'taken out of the archive' : 'held'}`;
  return object.state === 'archived' && object.verdict !== null && object.verdict !== 'clean' ? `Archived, released as ${object.verdict}` : stateWords[object.state].name;
}
export function toneOf(object: TraceObject): Tone {
  if (object.state === 'archived') return 'clean';
  return object.state === 'held' || object.state === 'destroyed' ? object.verdict ?? 'plain' : 'plain';
}
function accessDetail(accesses: readonly TraceAccess[]): string {
  const [first] = accesses;
  if (first === undefined) return '';
  const count = accesses.reduce((sum, access) => sum + access.count, 0);
  const last = Math.max(...accesses.map((access) => access.last));
  const did = { opened: 'opened', sent: `sent by ${plain(first.person, 30)}`, exported: 'taken out' }[first.kind];
  return `${did} ${counted(count, 'time')}, last ${moment(last)}`;
}

/** Everything that leads to a node and from it. */
export function pathOf(spread: Spread, key: string): ReadonlySet<string> {
  const found = new Set([key]);
  for (const [start, end] of [['from', 'to'], ['to', 'from']] as const) {
    const open = [key];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const edge of spread.edges) {
        if (edge[start] !== at || found.has(edge[end])) continue;
        found.add(edge[end]);
        open.push(edge[end]);
      }
    }
  }
  return found;
}
