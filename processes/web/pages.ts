/** The viewer at the root of this origin (OHIF's public path cannot be another), and the policies of the pages. */
import { problem, type Route, type RouteAnswer, type RouteRequest } from '@lazaret/pacs/access/routes.ts';
import { answerFile, type PageFiles } from './files.ts';

/** For the sign-in page: nothing but our own three files and our own API; strings cannot become markup or script. */
export const signInPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/**
 * For the viewer: code of this origin only, WebAssembly for its codecs, inline styles because OHIF writes them. Where it may connect is
 * spelled out by path: a viewer that was taken over cannot even ask the console, though both are the same origin.
 */
export function viewerPolicy(origin: string, files: PageFiles): string {
  const connect = ['/dicomweb/', '/session', '/sign-out', '/dicom-microscopy-viewer/', ...[...files.keys()].filter((name) => /^[^/]*\.wasm$/.test(name)).map((name) => `/${name}`)].map((path) => `${origin}${path}`);
  return [
    "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'unsafe-inline'", "worker-src 'self' blob:", "img-src 'self' data: blob:", "font-src 'self' data:",
    "media-src 'self' blob:", `connect-src ${connect.join(' ')} blob: data:`, "manifest-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'none'", "frame-src 'none'", "frame-ancestors 'none'",
  ].join('; ');
}

/** Names with a digest of their content never change. */
const immutable = /\.[0-9a-f]{8,}\.|\b[0-9a-f]{16,}\./;

/** `GET /` and all that the viewer's own router knows below it. Its files are open to everyone, as they are on npm; its page asks for sign-in. */
export function viewerRoutes(files: PageFiles): Route[] {
  const page = (request: RouteRequest): RouteAnswer => {
    if (request.actor.kind === 'anonymous') return { status: 303, headers: { location: `/sign-in?to=${encodeURIComponent(request.url)}` } };
    return answerFile(files, 'index.html', request, headersOf(request)) ?? problem(503, 'viewer-absent', 'The viewer has not been packaged here: run `npm start`, which does it.');
  };
  const headersOf = (request: RouteRequest): Record<string, string> => ({
    'content-security-policy': viewerPolicy(request.origin, files),
    // Cross-origin isolation: shared memory for the codecs, and no window of the console (another opener policy) can be reached from here.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  });
  const route = (url: string, handler: Route['handler']): Route => ({ method: 'GET', url, action: 'sign-in', audience: 'viewer', handler });
  return [
    route('/', page),
    route('/*', (request) => {
      const name = request.params['*'] ?? '';
      const headers = headersOf(request);
      if (immutable.test(name)) headers['cache-control'] = 'public, max-age=31536000, immutable';
      const found = name === 'index.html' ? null : answerFile(files, name, request, headers);
      if (found !== null) return found;
      // The viewer routes by itself below `/`: a page that a person opens is its page, anything else is not there.
      if (request.headers['sec-fetch-dest'] === 'document' || (request.headers.accept ?? '').startsWith('text/html')) return page(request);
      return problem(404, 'route-unknown', 'There is nothing at this address.');
    }),
  ];
}
