/** The files of the viewer that are ours. None has an inline script: the policy of the page forbids them. */

/** OHIF's own page without its inline scripts, its service worker and the icons of a dozen start screens. */
export function indexHtml(bundle) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width,initial-scale=1" />
    <meta name="theme-color" content="#000000" />
    <title>Viewer · Lazaret</title>
    <link rel="icon" href="/assets/favicon.ico" />
    <link rel="stylesheet" href="/app.bundle.css" />
    <script src="/boot.js"></script>
    <script src="/app-config.js"></script>
    <script defer src="/${bundle}"></script>
  </head>
  <body>
    <noscript>The viewer needs JavaScript.</noscript>
    <div id="react-portal"></div>
    <div id="root"></div>
  </body>
</html>
`;
}

/** What OHIF's page has inline. */
export const bootScript = `console.time('scriptToView');
window.PUBLIC_URL = '/';
window.browserImportFunction = (name) => import(name);
`;

/**
 * OHIF's configuration: one data source, this server. No source that takes an address from the page's own (\`?url=\`, CVE-2026-12473), no
 * configuration or customization from an address, no local files, no upload: what comes in comes through the quarantine.
 */
export const appConfig = `window.config = {
  name: 'lazaret',
  routerBasename: null,
  extensions: [],
  modes: [],
  customizationService: {},
  dangerouslyUseDynamicConfig: { enabled: false },
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  allowMultiSelectExport: false,
  showErrorDetails: 'production',
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
  defaultDataSourceName: 'lazaret',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'lazaret',
      configuration: {
        friendlyName: 'Lazaret',
        name: 'lazaret',
        qidoRoot: '/dicomweb',
        wadoRoot: '/dicomweb',
        wadoUriRoot: '/dicomweb',
        qidoSupportsIncludeField: true,
        supportsReject: false,
        dicomUploadEnabled: false,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: true,
        supportsWildcard: true,
        omitQuotationForMultipartRequest: false,
        bulkDataURI: { enabled: true, relativeResolution: 'studies' },
      },
    },
  ],
  httpErrorHandler: (error) => {
    const status = error?.status ?? error?.request?.status;
    // The session is over: sign in, and come back to where one was.
    if (status === 401) window.location.assign('/sign-in?to=' + encodeURIComponent(window.location.pathname + window.location.search));
    else console.warn('the server answered ' + status);
  },
  whiteLabeling: {
    createLogoComponentFn: (React) => React.createElement('div', { style: { display: 'flex', alignItems: 'center', gap: '1rem', color: '#fff' } },
      React.createElement('a', { href: '/', style: { fontWeight: 600, fontSize: '1.05rem' } }, 'Lazaret'),
      React.createElement('button', {
        type: 'button',
        style: { fontSize: '.8rem', opacity: 0.85, textDecoration: 'underline' },
        onClick: () => fetch('/sign-out', { method: 'POST' }).finally(() => window.location.assign('/sign-in')),
      }, 'Sign out')),
  },
};
`;
