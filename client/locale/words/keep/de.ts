
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's113268220ddf9769': `Ein Kind von zweien`,
's13f466dc1200537b': str`Und noch ${0} Dinge sind geschehen.`,
's1576938493e66a7d': `Ein Teil fehlt. Scanne den Code noch einmal oder wähle dein Bild oder deinen Film.`,
's1589ceab6b18fc8b': `Noch einmal wachsen lassen`,
's21f0b3497fb00180': str`Der Raum ist voll. ${0} Gast ist vor dir dran.`,
's2ad3d8db86801111': `Ein Samen`,
's32f82ebb02b028d7': `Pflanze es, wenn du wieder da bist`,
's3fdc6453866ec7c0': `Der Raum ist voll. Du bist als Nächstes dran.`,
's4113b2f6c090f181': `Woraus es wächst, konnte nicht geladen werden. Versuche es gleich noch einmal.`,
's475adfa48074d28e': `Diese Datei enthält keinen Samen. Manche Apps entfernen ihn: Wähle die Datei so, wie du sie gespeichert hast.`,
's545db0b26b3d1a64': str`Der Raum ist voll. ${0} Gäste sind vor dir dran.`,
's54eeade65b83e82b': `Dieser Link ist unvollständig`,
's5aa875c0cc9af8b0': `Diese Seite kennt die Zellen dieses Wesens nicht. Öffne den Link auf dem Andenken.`,
's6b5808729ba28a3f': `namenlos`,
's7879f832b2a73274': `Bild oder Film wählen`,
's8041f53d7dfb76b2': `Lass ein Andenken wachsen`,
's8c68bc0a1a65d461': `Ein Kind des Zufalls`,
'sa73e374cbc26502c': `Es kann gerade nicht wachsen`,
'sa8a792da660d0386': `Es wächst Zelle für Zelle in deinem eigenen Browser, aus dem Samen im Link.`,
'sc60adfd1ffc74f3e': `Dieser Browser kann den Raum nicht zeichnen: Ihm fehlt WebGL2. Ein anderer Browser oder ein anderes Gerät kann es vielleicht.`,
'sc7f1beea639774c7': `verbinde`,
'sc85f4dd5dc1537a6': str`${0} Personen hier`,
'scd1dd6ff53d0d01a': `Noch einmal`,
'sd520de695c80a0bf': `Aus einem anderen Garten`,
'sd99f82acbe5a90d8': str`Und noch ${0} Sache ist geschehen.`,
'sddac88c3332a3667': `Einzigartig`,
'se2f63fcf854bf554': str`${0} Zellen`,
'se80e667e86d1bc4d': `Eine leere Schale`,
'sea2ae67c61dea9aa': `verbinde wieder`,
'sedb014886c00c32f': str`${0} Zelle`,
'sefcf950b3cc4fc3b': `Sprache`,
'sf258fb79865d5ffc': str`${0} Person hier`,
'sfef7fb686039baeb': `Wähle das Bild oder den Film, den du mitgenommen hast, oder öffne den Link.`,
    };
  