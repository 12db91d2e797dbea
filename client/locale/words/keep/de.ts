
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's0310d39d85a9997c': `wach`,
's08f11a02b2fb6870': `Diese Seite kann dieses Wesen nicht wachsen lassen. Öffne den Link auf seinem Andenken.`,
's113268220ddf9769': `Ein Kind von zweien`,
's13f466dc1200537b': str`Und noch ${0} Dinge sind geschehen.`,
's1589ceab6b18fc8b': `Noch einmal wachsen lassen`,
's19e076f6b42fb46d': `Dieser Browser kann den Raum nicht zeigen: Ihm fehlt WebGL2. Versuche es mit einem anderen Browser oder Gerät.`,
's1fe37a2a99ccc569': `Es wächst Zelle für Zelle in deinem eigenen Browser, aus dem Samen im Link.`,
's2132fcfde8c87c9e': `Der Gärtner`,
's24f15eba1c59a844': str`${0}, dann ${1}`,
's25c392d3f36e4b1d': `heilt`,
's2ad3d8db86801111': `Ein Samen`,
's318c3d6adb506992': `Es kann gerade nicht wachsen`,
's32a6858a3ed4ec44': str`${0} alt`,
's32f82ebb02b028d7': `Pflanze es, wenn du wieder da bist`,
's32fcddc5a9538001': `Ein Teil fehlt. Scanne den Code noch einmal oder wähle dein Bild oder deinen Film.`,
's3600f777e8710f6f': `vom Gärtner gepflanzt`,
's3fdc6453866ec7c0': `Der Raum ist voll. Du bist als Nächstes dran.`,
's43b93cb842655fdb': `gerade gepflanzt`,
's46c862560a43c96e': str`Der Raum ist voll. ${0} Gäste sind vor dir dran.`,
's4c2251760c5d2c55': str`und ${0} weitere`,
's54eeade65b83e82b': `Dieser Link ist unvollständig`,
's5f07539cdc8871c9': `Aus einem anderen Vivarium`,
's628f9d3415e052a8': `Das Haus`,
's66a916cde1017912': str`von ${0} gepflanzt`,
's6b5808729ba28a3f': `namenlos`,
's704683c5958e9c5f': `vom Haus gepflanzt`,
's7814bf80cd3885d3': `von dir gepflanzt`,
's7879f832b2a73274': `Bild oder Film wählen`,
's8041f53d7dfb76b2': `Lass ein Andenken wachsen`,
's82147cb907e3d959': str`Der Raum ist voll. ${0} Gast ist vor dir dran.`,
's822a12f086a7d91a': str`${0} Wunden verheilt`,
's8c68bc0a1a65d461': `Ein Kind des Zufalls`,
's8e37a9023906283f': `und ein weiteres`,
's9516ff545e1695cb': `eine Wunde verheilt`,
's9583a773fa4f8515': `Wähle das Bild oder den Film, den du mitgenommen hast, oder öffne den Link.`,
's97bbc8698f704ac9': `ruht, verletzt`,
'sa5bc226742558d67': `tot`,
'sb5617c19799ea15c': `dir`,
'sb7ce768919359466': `wächst`,
'sba52dbfb8d3a60d7': `nie verletzt`,
'sc7f1beea639774c7': `verbinde`,
'sc85f4dd5dc1537a6': str`${0} Personen hier`,
'scd1dd6ff53d0d01a': `Noch einmal`,
'sd8daaec3c20a386d': `von einem Gast gepflanzt`,
'sd99f82acbe5a90d8': str`Und noch ${0} Sache ist geschehen.`,
'sddac88c3332a3667': `Einzigartig`,
'se244b12de4bc253b': `geht gerade`,
'se2f63fcf854bf554': str`${0} Zellen`,
'se3258f292fd15dc1': `ruht`,
'se80e667e86d1bc4d': `Eine leere Schale`,
'se9f1e4a7423d6a55': `Seine Zellen konnten nicht geladen werden. Versuche es gleich noch einmal.`,
'sea2ae67c61dea9aa': `verbinde wieder`,
'seb5b5f92b4d7505d': `In dieser Datei ist kein Samen. Manche Apps entfernen ihn: Wähle die Datei, die du gespeichert hast.`,
'sedb014886c00c32f': str`${0} Zelle`,
'sefcf950b3cc4fc3b': `Sprache`,
'sf258fb79865d5ffc': str`${0} Person hier`,
    };
  