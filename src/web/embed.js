// <kube-by-hand>: the page inside an article. docs/embed.md says what its attributes mean.
//
// The page is loaded into an iframe once the element comes near the reader's view. Nothing is stored,
// nothing is asked of any host but the one this script came from, and the reader's goals are told as events.
(() => {
  const home = new URL('./', document.currentScript.src);
  const LOCKS = ['seats', 'lesson'];
  const NEAR = '200px';

  /** The words of an attribute: lower-case names, separated by spaces or commas. */
  const names = (text) => (text ?? '').toLowerCase().match(/[a-z-]+/g) ?? [];

  class KubeByHand extends HTMLElement {
    static observedAttributes = [
      'lesson', 'view', 'height', 'preset', 'lock', 'lang', 'theme', 'session', 'label',
    ];

    #frame = null;
    #seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#load();
    }, { rootMargin: NEAR });
    #told = (event) => {
      if (!this.#frame || event.source !== this.#frame.contentWindow) return;
      const { kubeByHand: name, ...detail } = event.data ?? {};
      if (name === 'goals') {
        this.dispatchEvent(new CustomEvent(`kube-by-hand-${name}`, { bubbles: true, composed: true, detail }));
      }
    };

    connectedCallback() {
      if (!this.shadowRoot) {
        this.attachShadow({ mode: 'open' }).innerHTML = `<style>
          :host { display: block; position: relative }
          :host([hidden]) { display: none }
          div { height: var(--height); border: 1px solid #8886; border-radius: 8px; overflow: hidden }
          iframe { display: block; width: 100%; height: 100%; border: 0 }
          button { font: inherit; font-size: .875em; margin: 6px 0 0; padding: 4px 12px; color: inherit;
            background: none; border: 1px solid #8888; border-radius: 6px; cursor: pointer }
        </style><div></div><button type="button"></button>`;
        this.shadowRoot.querySelector('button').onclick = () => this.reset();
      }
      this.#dress();
      addEventListener('message', this.#told);
      this.#seen.observe(this);
    }

    disconnectedCallback() {
      removeEventListener('message', this.#told);
      this.#seen.disconnect();
      this.#frame?.remove();
      this.#frame = null;
    }

    attributeChangedCallback() {
      if (!this.isConnected || !this.shadowRoot) return;
      this.#dress();
      if (this.#frame) this.reset();
    }

    /** Back to the state the author gave. */
    reset() {
      this.#frame?.remove();
      this.#frame = null;
      this.#load();
    }

    #dress() {
      const height = this.getAttribute('height') ?? '640';
      this.shadowRoot.querySelector('div').style.setProperty('--height', /^\d+$/.test(height) ? `${height}px` : height);
      this.shadowRoot.querySelector('button').textContent = this.#language() === 'ja' ? '\u6700\u521d\u306b\u623b\u3059' : 'Reset';
    }

    #language() {
      return this.getAttribute('lang') ?? this.closest('[lang]')?.lang.slice(0, 2) ?? navigator.language.slice(0, 2);
    }

    #address() {
      const page = new URL('index.html', home);
      const put = (name, value) => value && page.searchParams.set(name, value);
      put('scene', this.getAttribute('lesson')?.match(/^\d/)?.[0]);
      put('preset', this.getAttribute('preset'));
      put('lang', this.#language());
      put('theme', this.getAttribute('theme'));
      put('view', names(this.getAttribute('view')).join('.'));
      put('lock', names(this.getAttribute('lock')).filter((name) => LOCKS.includes(name)).join('.'));
      // A link from the page's Share button, or what stands after its #.
      page.hash = this.getAttribute('session')?.replace(/^.*#/, '') ?? '';
      return page.href;
    }

    #load() {
      if (this.#frame) return;
      this.#seen.disconnect();
      const frame = document.createElement('iframe');
      frame.src = this.#address();
      frame.title = this.getAttribute('label') ?? 'Kube by Hand';
      frame.allow = 'clipboard-write';
      this.#frame = frame;
      this.shadowRoot.querySelector('div').append(frame);
    }
  }

  customElements.define('kube-by-hand', KubeByHand);
})();
