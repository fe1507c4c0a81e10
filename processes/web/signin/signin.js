// The sign-in page of viewer and console: which of the two is meant, and where to go afterwards, is in `?to=`.

const wanted = new URLSearchParams(location.search).get('to') ?? '/';
// A path of this server and nothing that a browser would take for another one.
const target = /^\/(?![/\\])/.test(wanted) && new URL(wanted, location.origin).origin === location.origin && !wanted.startsWith('/sign-in') ? wanted : '/';
const page = /^\/console(?:\/|$)/.test(target) ? 'console' : 'viewer';
document.getElementById('place').textContent = page === 'console' ? 'Console' : 'Viewer';

const signIn = document.getElementById('sign-in');
const first = document.getElementById('first');

function show(form, text) {
  const message = form.querySelector('.message');
  message.textContent = text;
  message.hidden = text === '';
}

async function send(form, body) {
  const button = form.querySelector('[type=submit]');
  button.disabled = true;
  show(form, '');
  try {
    const response = await fetch('/sign-in', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (response.ok) {
      location.replace(target);
      return;
    }
    const problem = await response.json().catch(() => ({}));
    show(form, problem.detail ?? 'The server did not answer as expected. Try again.');
    form.querySelector('[type=password]').select();
  } catch {
    show(form, 'The server cannot be reached. Try again.');
  }
  button.disabled = false;
}

function firstEmpty(form) {
  const empty = [...form.querySelectorAll('input')].find((input) => input.value === '');
  if (empty) {
    show(form, `${form.querySelector(`label[for=${empty.id}]`).firstChild.textContent.trim()} is missing.`);
    empty.focus();
  }
  return empty;
}

signIn.addEventListener('submit', (event) => {
  event.preventDefault();
  if (firstEmpty(signIn)) return;
  void send(signIn, { page, name: signIn.elements.name.value.trim(), password: signIn.elements.password.value });
});

first.addEventListener('submit', (event) => {
  event.preventDefault();
  if (firstEmpty(first)) return;
  const { code, name, password, again } = first.elements;
  if (password.value !== again.value) {
    show(first, 'The two passwords differ.');
    again.select();
    return;
  }
  void send(first, { page, code: code.value, name: name.value.trim(), password: password.value });
});

function turnTo(form) {
  for (const each of [signIn, first]) each.hidden = each !== form;
  form.querySelector('input').focus();
}
document.getElementById('to-sign-in').addEventListener('click', () => turnTo(signIn));
document.getElementById('to-first').addEventListener('click', () => turnTo(first));

fetch('/sign-in/state').then((response) => response.json()).then((answer) => {
  if (!answer.firstAdministratorMissing) return;
  document.getElementById('to-first').hidden = false;
  turnTo(first);
}).catch(() => show(signIn, 'The server cannot be reached. Load the page again.'));
