/** The pages by path, below /console. What a page shows is in its path, so that it can be sent to a colleague. */
import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { ArrivalsPage } from './arrivals/page.tsx';
import { DiscPage } from './desk/disc.tsx';
import { DeskPage } from './desk/page.tsx';
import { ReceiptPage } from './desk/receipt.tsx';
import { HeldPage } from './held/page.tsx';
import { ObjectPage } from './object/page.tsx';
import { Broken, FirstPage, NoSuchPage, Shell } from './shell.tsx';
import { StatusPage } from './status/page.tsx';
import { StudyPage } from './study/page.tsx';
import { TracePage } from './trace/page.tsx';

export interface ListSearch {
  readonly text?: string;
  readonly states?: string;
  /** Held objects one by one, or by medium or study. */
  readonly by?: string;
}
const listSearch = (search: Record<string, unknown>): ListSearch => ({
  ...(typeof search['text'] === 'string' && search['text'] !== '' ? { text: search['text'].slice(0, 200) } : {}),
  ...(typeof search['states'] === 'string' && search['states'] !== '' ? { states: search['states'] } : {}),
  ...(search['by'] === 'medium' || search['by'] === 'study' ? { by: search['by'] } : {}),
});

export interface TraceSearch {
  readonly id?: string;
  readonly source?: string;
  /** How far back, of a source. */
  readonly days?: string;
  readonly import?: string;
  /** Of everything that was received then: UTC, to the minute. */
  readonly since?: string;
  readonly until?: string;
}
const isMoment = (text: unknown): text is string => typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
const traceSearch = ({ id, source, days, import: medium, since, until }: Record<string, unknown>): TraceSearch => ({
  ...(isMoment(since) && isMoment(until) && since < until ? { since, until } : {}),
  ...(typeof medium === 'string' && medium !== '' && (id === undefined || id === '') && (source === undefined || source === '') ? { import: medium.slice(0, 32) } : {}),
  ...(typeof days === 'string' && /^[1-9]\d{0,3}$/.test(days) ? { days } : {}),
  ...(typeof id === 'string' && id !== '' ? { id: id.slice(0, 64) } : {}),
  ...(typeof source === 'string' && source !== '' && (id === undefined || id === '') ? { source: source.slice(0, 200) } : {}),
});

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });
const indexRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: FirstPage });
const deskRoute = createRoute({ getParentRoute: () => rootRoute, path: '/desk', component: DeskPage });
const discRoute = createRoute({ getParentRoute: () => rootRoute, path: '/desk/$import', component: DiscPage });
const receiptRoute = createRoute({ getParentRoute: () => rootRoute, path: '/desk/$import/receipt', component: ReceiptPage });
const arrivalsRoute = createRoute({ getParentRoute: () => rootRoute, path: '/arrivals', component: ArrivalsPage, validateSearch: listSearch });
const heldRoute = createRoute({ getParentRoute: () => rootRoute, path: '/held', component: HeldPage, validateSearch: listSearch });
const objectRoute = createRoute({ getParentRoute: () => rootRoute, path: '/objects/$objectId', component: ObjectPage });
const studyRoute = createRoute({ getParentRoute: () => rootRoute, path: '/studies/$study', component: StudyPage });
const traceRoute = createRoute({ getParentRoute: () => rootRoute, path: '/trace', component: TracePage, validateSearch: traceSearch });
const statusRoute = createRoute({ getParentRoute: () => rootRoute, path: '/system', component: StatusPage });

export const router = createRouter({
  routeTree: rootRoute.addChildren([indexRoute, deskRoute, discRoute, receiptRoute, arrivalsRoute, heldRoute, objectRoute, studyRoute, traceRoute, statusRoute]),
  basepath: '/console',
  defaultErrorComponent: Broken,
  // Search values are plain text, not JSON in the address.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === 'string')).toString();
    return text === '' ? '' : `?${text}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
